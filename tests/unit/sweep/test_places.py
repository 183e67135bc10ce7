"""What a user may name to `must status`: results, an experiment, and what is neither."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from must.cli import main
from must.config import dump
from tests.support.sweep_runs import MadeUpSweep


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MadeUpSweep:
    """One in ``results`` of the current directory, with its file beside them."""
    monkeypatch.chdir(tmp_path)
    sweep = MadeUpSweep(Path("results"))
    Path("made.yaml").write_text(dump(sweep.experiment), encoding="utf-8")
    for spec in sweep.specs:
        sweep.write(spec, "finished")
    return sweep


def error(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["status", *map(str, arguments)]) == 2
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    return text


def test_results_are_named_by_their_place_or_by_an_option(
    sweep: MadeUpSweep, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["results"], ["--results", "results/made"], [], ["results/made", "--config", "made.yaml"]):
        assert main(["status", *arguments, "--json"]) == 0
        (found,) = json.loads(capsys.readouterr().out)["experiments"]
        assert (found["directory"], found["states"]) == ("results/made", {"finished": 4})
    assert (
        error(capsys, "results", "--results", "x") == "must: --results x: results is named as well; give one of them\n"
    )


def test_runs_without_a_file_that_says_what_they_belong_to(
    sweep: MadeUpSweep, capsys: pytest.CaptureFixture[str]
) -> None:
    other = MadeUpSweep(Path("others"), name="other").directory.rename("results/other")
    assert main(["status"]) == 0
    assert capsys.readouterr().err == ""
    (sweep.directory / "config.yaml").unlink()
    assert main(["status"]) == 0
    message = "must: results/made: has runs, but no config.yaml that says what they belong to; "
    assert capsys.readouterr().err.startswith(message)
    (other / "config.yaml").unlink()
    assert error(capsys, "results/made").startswith(message)
    assert error(capsys, "results").startswith(message)
    assert main(["status", "results/made", "--config", "made.yaml"]) == 0


@pytest.mark.parametrize("option", [[], ["--config", "made.yaml"]])
def test_what_is_no_directory_of_results(
    sweep: MadeUpSweep, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    run = sweep.place(sweep.specs[0])
    assert (
        error(capsys, run, *option) == f"must: {run}: is a run of the experiment in results/made; name that directory\n"
    )
    above = run.parent
    assert f"{above}: holds runs of the experiment in results/made;" in error(capsys, above, *option)
    assert "results/made.yaml: is not there;" in error(capsys, "results/made.yaml", *option)
    assert "made.yaml: is a file;" in error(capsys, "made.yaml", *option)
    run.rename("alone")
    assert "alone: is a run of no sweep; its manifest.json and" in error(capsys, "alone", *option)


def test_an_experiment_that_nobody_has_begun_need_not_be_there(
    sweep: MadeUpSweep, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep.directory.rename("results/old")
    assert main(["status", "--config", "made.yaml", "results/made"]) == 0
    assert "made: 4 runs: 4 missing" in capsys.readouterr().out
    assert "nowhere/made: is not there;" in error(capsys, "--config", "made.yaml", "nowhere/made")
