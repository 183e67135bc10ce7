"""A manifest keeps what every start of a run was made with."""

import json
import logging

import pytest

from must import manifest
from must.manifest import Manifest, result_with_this_software


@pytest.fixture
def path(tmp_path):
    return tmp_path / "manifest.json"


@pytest.fixture
def software(monkeypatch):
    """Sets the software that runs."""
    state = {"git_commit": "a" * 40, "git_dirty": False, "git_problem": None}
    versions = dict.fromkeys(manifest.PACKAGES, "1.0")
    monkeypatch.setattr(manifest, "git_state", lambda: dict(state))
    monkeypatch.setattr(manifest, "_version", lambda name: versions[name])

    def update(commit: str = "a" * 40, **packages: str) -> None:
        state["git_commit"] = commit
        versions.update(packages)

    return update


def start(path, epoch):
    started = Manifest(path, seed=3, device="cpu", threads=2)
    started.goes_on(epoch)
    return started


def read(path):
    return json.loads(path.read_text())


def test_every_start_is_kept_with_its_software(path, software, caplog):
    start(path, 0).close("interrupted")
    software("b" * 40, torch="2.0")
    with caplog.at_level(logging.WARNING, "must"):
        start(path, 7).close("finished", result={"epochs": 9})
    content = read(path)
    assert [(each["epoch"], each["git_commit"][0], each["packages"]["torch"]) for each in content["starts"]] == [
        (0, "a", "1.0"),
        (7, "b", "2.0"),
    ]
    assert all(each["threads"] == 2 and each["time"] and each["python"] and each["cpu"] for each in content["starts"])
    assert (content["git_commit"], content["packages"]["torch"]) == ("b" * 40, "2.0")  # the last one's, as ever
    assert len(content["resumed"]) == 1
    (warning,) = caplog.messages
    assert "torch 1.0 -> 2.0" in warning
    assert "commit aaaaaaaaaaaa -> bbbbbbbbbbbb" in warning
    assert "numpy" not in warning


@pytest.mark.parametrize(("epoch", "commit"), [(7, "a"), (0, "b")])
def test_no_warning_where_nothing_is_mixed(path, software, caplog, epoch, commit):
    start(path, 0).close("interrupted")
    software(commit * 40)
    with caplog.at_level(logging.WARNING, "must"):
        start(path, epoch)
    assert caplog.messages == []
    assert len(read(path)["starts"]) == 2


def test_a_start_that_did_nothing_is_not_compared_with(path, software, caplog):
    start(path, 0)
    software("b" * 40)
    Manifest(path, seed=3, device="cpu", threads=2)  # killed before it knew where it goes on
    software("a" * 40)
    with caplog.at_level(logging.WARNING, "must"):
        start(path, 4)
    assert caplog.messages == []
    assert [each["epoch"] for each in read(path)["starts"]] == [0, None, 4]


def test_a_manifest_from_before_starts_were_kept_is_read(path, software, caplog):
    start(path, 0).close("interrupted")
    old = read(path)
    del old["starts"]
    del old["threads"]
    old["resumed"] = ["2026-01-01T00:00:00+00:00"]
    path.write_text(json.dumps(old))
    software(torch="2.0")
    with caplog.at_level(logging.WARNING, "must"):
        start(path, 5)
    first, second, third = read(path)["starts"]
    assert "packages" not in first  # nobody knows
    assert (second["time"], second["packages"]["torch"]) == ("2026-01-01T00:00:00+00:00", "1.0")
    assert third["packages"]["torch"] == "2.0"
    assert "torch 1.0 -> 2.0" in caplog.text


@pytest.mark.parametrize("content", ["", "{", "[1]", "null", '{"resumed": 3}', "[" * 100_000, "\x00"])
def test_a_damaged_manifest_is_set_aside_and_said(path, software, caplog, content):
    path.write_text(content)
    with caplog.at_level(logging.WARNING, "must"):
        start(path, 0)
    assert str(path) in caplog.text
    assert path.with_name("manifest.json.damaged").read_text() == content
    assert len(read(path)["starts"]) == 1


def test_a_result_counts_for_the_very_software_only(path, software):
    start(path, 0).close("finished", result={"epochs": 9})
    assert result_with_this_software(path) == {"epochs": 9}
    software(scipy="2.0")
    assert result_with_this_software(path) is None


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("AMD EPYC", "AMD EPYC (family 26, model 2)"),
        ("Intel(R) Xeon(R) Gold 6248", "Intel(R) Xeon(R) Gold 6248"),
        ("", ""),
    ],
)
def test_a_virtual_machine_s_processor_is_known_by_its_numbers(monkeypatch, model, name):
    core = f"processor\t: 0\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: {model}\n"
    monkeypatch.setattr(manifest.Path, "read_text", lambda _: f"{core}\n{core}")
    assert manifest.cpu_name() == (name or manifest.platform.machine())
