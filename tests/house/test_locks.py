"""The locks: complete, hashed, consistent with each other and with pyproject.toml, and free of addresses."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from tests.support.helpers import ROOT

LOCKS = {name: ROOT / "containers" / "locks" / f"{name}.txt" for name in ("cpu", "cuda", "tools", "docs")}
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
IMAGE = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "python_version": "3.11"}
CUDA_ONLY = re.compile(r"nvidia-|cuda-|triton$")


def entries(name: str) -> list[tuple[Requirement, list[str]]]:
    """Split a lock into (requirement, its options)."""
    lines = [line for line in LOCKS[name].read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    logical = "\n".join(lines).replace("\\\n", " ").splitlines()
    parts = [re.split(r"\s+(?=--)", line.strip()) for line in logical]
    return [(Requirement(requirement), options) for requirement, *options in parts]


def versions(name: str) -> dict[str, str]:
    return {requirement.name: str(requirement.specifier).removeprefix("==") for requirement, _ in entries(name)}


@pytest.mark.parametrize("name", LOCKS)
def test_every_entry_is_pinned_and_hashed(name: str) -> None:
    locked = entries(name)
    assert len(locked) > 20
    for requirement, options in locked:
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert options, requirement
        assert all(HASH.fullmatch(option) for option in options), (requirement, options)


@pytest.mark.parametrize("name", LOCKS)
def test_no_package_is_listed_twice(name: str) -> None:
    names = [requirement.name for requirement, _ in entries(name)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", LOCKS)
def test_no_address_and_no_option_for_one(name: str) -> None:
    text = LOCKS[name].read_text(encoding="utf-8")
    assert not re.search(r"://|index|find-links|trusted-host|\b[\w-]+\.(com|org|net|io|dev)\b", text)


def test_cpu_is_cuda_without_its_libraries() -> None:
    cpu, cuda = versions("cpu"), versions("cuda")
    assert {name: version for name, version in cuda.items() if not CUDA_ONLY.match(name)} == cpu
    assert any(CUDA_ONLY.match(name) for name in cuda)


def test_only_the_wheels_of_torch_differ() -> None:
    cpu, cuda = ({r.name: set(options) for r, options in entries(name)} for name in ("cpu", "cuda"))
    assert [name for name in cpu if cpu[name] != cuda[name]] == ["torch"]
    assert cpu["torch"] - cuda["torch"], "no CPU build"


def test_tools_add_to_the_others_and_repeat_nothing() -> None:
    assert not set(versions("tools")) & set(versions("cuda"))


def test_locks_hold_what_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for lock, wanted in (("cpu", project["dependencies"]), ("cuda", project["dependencies"])):
        assert unmet(wanted, versions(lock)) == []
    assert unmet(extras["workflow"] + extras["dev"], versions("cuda") | versions("tools")) == []
    assert unmet(extras["docs"], versions("docs")) == []


def test_torch_build_for_this_machine_is_named() -> None:
    assert re.search(r"^# CPU builds for Linux \(x86-64\): Python 3\.\d+", LOCKS["cpu"].read_text(), re.MULTILINE)


def unmet(wanted: list[str], locked: dict[str, str]) -> list[str]:
    """Return the requirements that the lock does not fulfil."""
    found = {canonicalize_name(name): Version(version) for name, version in locked.items()}
    asked = [Requirement(text) for text in wanted]
    return [str(r) for r in asked if (v := found.get(canonicalize_name(r.name))) is None or v not in r.specifier]


def test_the_image_asks_for_a_platform_of_every_wheel_that_it_needs() -> None:
    script = ROOT / "containers" / "fill_wheelhouse.sh"
    offered = {*subprocess.run([script, "tags"], capture_output=True, text=True, check=True).stdout.split(), "any"}
    found = set()
    for line in (ROOT / "containers" / "locks" / "image-wheels.list").read_text(encoding="utf-8").split():
        name, version, _, tags = parse_wheel_filename(line)
        if offered & {tag.platform for tag in tags}:
            found.add((name, str(version)))
    needed = [r for r, _ in entries("cuda") if r.marker is None or r.marker.evaluate(IMAGE)]
    assert {(canonicalize_name(r.name), str(r.specifier).removeprefix("==")) for r in needed} - found == set()
    # Published for glibc versions that few wheels are made for, and under the names from before there were numbers.
    assert {
        "manylinux_2_18_x86_64",
        "manylinux_2_25_x86_64",
        "manylinux_2_36_x86_64",
        "manylinux2014_x86_64",
    } <= offered
    assert not any(tag.startswith(("manylinux_2_37", "musllinux")) for tag in offered)
