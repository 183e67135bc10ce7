"""The command that `must status` tells to go on with, and what to know before it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from must.cli import main
from must.config import dump
from tests.support.sweep_runs import HERE, MadeUpSweep


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that `make reproduce` could be typed in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[str, str]:
    """Return the command of the only experiment, and what is said with it."""
    assert main(["status", *map(str, arguments), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["experiments"]
    return found["go_on"], found["before_going_on"]


def write(path: Path, sweep: MadeUpSweep, **sac: Any) -> Path:
    text = dump(sweep.experiment)
    for key, value in sac.items():
        text = text.replace(f"{key}: 0.99", f"{key}: {value}")
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_that_says_the_same_is_named_and_not_one_of_that_name(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = MadeUpSweep(Path("results"))
    write(checkout / "config" / "a.yaml", sweep, gamma=0.9)
    assert told(capsys, "results") == ("make reproduce CONFIG=results/made/config.yaml", "")
    write(checkout / "config" / "b.yaml", sweep)
    assert told(capsys, "results") == ("make reproduce CONFIG=config/b.yaml", "")


def test_the_file_that_was_given_is_named(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = MadeUpSweep(Path("results"))
    write(checkout / "config" / "a.yaml", sweep)
    given = write(checkout / "given.yaml", sweep, gamma=0.9)
    assert told(capsys, "--config", "given.yaml") == ("make reproduce CONFIG=given.yaml", "")
    given.write_text(given.read_text(encoding="utf-8").replace("name: made", "name: new"), encoding="utf-8")
    assert told(capsys, "--config", given) == ("make reproduce CONFIG=given.yaml", "")


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("make reproduce PROFILE=slurm CONFIG=made.yaml", "make reproduce PROFILE=slurm CONFIG=given.yaml"),
        ("snakemake --profile slurm --configfile made.yaml", "snakemake --profile slurm --configfile given.yaml"),
        ("snakemake --cores 1", "make reproduce CONFIG=given.yaml"),
    ],
)
def test_what_was_typed_before_goes_on_with_the_settings_that_it_had(
    checkout: Path, capsys: pytest.CaptureFixture[str], typed: str, command: str
) -> None:
    sweep = MadeUpSweep(Path("results"))
    sweep.head(HERE, sweep.specs, ended=True)
    record = sweep.directory / "invocation.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"command": typed}), encoding="utf-8")
    write(checkout / "given.yaml", sweep)
    assert told(capsys, "results", "--config", "given.yaml") == (typed, "")
    write(checkout / "given.yaml", sweep, gamma=0.9)
    assert told(capsys, "results", "--config", "given.yaml") == (command, "")


def test_a_sweep_that_lies_elsewhere_is_not_gone_on_with_by_itself(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = MadeUpSweep(Path("kept"))
    write(checkout / "made.yaml", sweep)
    arguments = ("kept", "--config", "made.yaml")
    assert told(capsys, *arguments)[1] == "it trains into results/made"
    sweep.write(sweep.specs[0], "finished")
    assert "to go on from kept/made, copy that to results/made first" in told(capsys, *arguments)[1]
    Path("results", "made").mkdir(parents=True)
    assert told(capsys, *arguments)[1] == "it goes on with what lies in results/made; kept/made stays as it is"
    assert main(["status", *arguments]) == 0
    assert capsys.readouterr().out.endswith(
        "\n    it goes on with what lies in results/made; kept/made stays as it is\n"
    )


def test_a_sweep_of_another_checkout_goes_on_there(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = MadeUpSweep(checkout / "other" / "results")
    sweep.head(HERE, sweep.specs, ended=True)
    (checkout / "other" / ".snakemake").mkdir()
    command, before = told(capsys, "other/results")
    assert command == "make reproduce CONFIG=made.yaml"
    assert before == f"give this command in {checkout.resolve()}/other, where the sweep was started"
