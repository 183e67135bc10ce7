"""`must status` and `must plan` as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from must.cli import main
from must.config import dump
from tests.support.helpers import ROOT
from tests.support.sweep_runs import KINDS, MadeUpSweep

TSV = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


@pytest.fixture
def sweep(tmp_path: Path) -> MadeUpSweep:
    sweep = MadeUpSweep(tmp_path / "results")
    for spec, kind in zip(sweep.specs, ("finished", "failed", "running here", "stopped"), strict=True):
        sweep.write(spec, kind)
    return sweep


def test_everything_is_told_in_plain_text(sweep: MadeUpSweep, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(sweep.directory.parent)]) == 0
    text = capsys.readouterr().out
    assert "made: 4 runs: 1 finished, 1 running, 1 interrupted, 1 failed" in text
    assert "failed: pruning_ratio~0/update_interval~na/seed~1: the disk is full" in text
    assert "go on with: make reproduce CONFIG=" in text
    assert "\x1b" not in text


def test_what_is_not_listed_of_a_large_sweep_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sections = {"seeds": list(range(40)), "pruning_ratios": [0], "update_intervals": [10]}
    sweep = MadeUpSweep(tmp_path / "results", sweep=sections)
    for spec in sweep.specs[:30]:
        sweep.write(spec, "finished")
    assert main(["status", str(sweep.directory)]) == 0
    assert "\n\nno run is listed: 30 finished, 10 missing (--all lists every run)\n" in capsys.readouterr().out
    sweep.write(sweep.specs[30], "stopped")
    assert main(["status", str(sweep.directory)]) == 0
    assert "\nnot listed: 30 finished, 9 missing (--all lists every run)\n" in capsys.readouterr().out
    assert main(["status", str(sweep.directory), "--all"]) == 0
    assert "listed: " not in capsys.readouterr().out


def test_failed_runs_alone(sweep: MadeUpSweep, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(sweep.directory), "--failed", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["experiments"]
    assert [run["state"] for run in found["runs"]] == ["failed"]
    assert found["states"] == {"finished": 1, "running": 1, "interrupted": 1, "failed": 1}


def test_an_experiment_that_cannot_be_read_does_not_hide_the_others(
    sweep: MadeUpSweep, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = sweep.directory.parent / "damaged"
    (damaged / "runs").mkdir(parents=True)
    (damaged / "config.yaml").write_text("env: [\n", encoding="utf-8")
    assert main(["status", str(sweep.directory.parent), "--json"]) == 0
    printed = capsys.readouterr()
    assert [one["name"] for one in json.loads(printed.out)["experiments"]] == ["made"]
    assert printed.err.startswith(f"must: {damaged}/config.yaml: line ")
    assert main(["status", str(damaged)]) == 2
    assert "--config FILE" in capsys.readouterr().err


def test_a_changed_experiment_makes_its_runs_stale(sweep: MadeUpSweep, capsys: pytest.CaptureFixture[str]) -> None:
    changed = sweep.directory.parent / "changed.yaml"
    changed.write_text(dump(sweep.experiment).replace("gamma: 0.99", "gamma: 0.9"), encoding="utf-8")
    assert main(["status", str(sweep.directory.parent), "--config", str(changed), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["experiments"]
    assert found["states"] == {"stale": 4}


def test_the_command_that_goes_on_is_one_that_can_be_read(
    sweep: MadeUpSweep, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an invocation has recorded is an experiment itself."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(sweep.directory))
    assert main(["status", str(sweep.directory), "--json"]) == 0
    command = json.loads(capsys.readouterr().out)["experiments"][0]["go_on"]
    config = command.partition("CONFIG=")[2]
    assert main(["plan", config, "--results", str(sweep.directory.parent), "--seconds", "0", "--line"]) == 0
    assert capsys.readouterr().out.startswith("made: 3 runs to train, 1 finished, ")


def test_a_watch_ends_when_all_runs_are_finished(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = MadeUpSweep(tmp_path / "results")
    for spec in sweep.specs:
        sweep.write(spec, "finished")
    page = tmp_path / "page.html"
    assert main(["status", str(sweep.directory), "--watch", "--html", str(page)]) == 0
    assert "4 finished" in capsys.readouterr().out
    assert page.read_text(encoding="utf-8").count("<polyline") == 4


def test_the_cost_and_what_to_ask_for(sweep: MadeUpSweep, capsys: pytest.CaptureFixture[str]) -> None:
    """100 epochs of 2 s on one core; 1000 MiB, of which a quarter more is asked for."""
    path = sweep.directory / "benchmarks" / "train" / f"{sweep.specs[0].path}.tsv"
    path.parent.mkdir(parents=True)
    path.write_text(f"{TSV}250\t0:04:10\t1000\t1\t1\t1\t1\t1\t90\t200\n", encoding="utf-8")
    assert main(["status", str(sweep.directory), "--cost"]) == 0
    text = capsys.readouterr().out
    line = next(line.split() for line in text.splitlines() if line.startswith("all "))
    assert line == ["all", "1/4", "0.056", "h", "none", "3", "min", "1.0", "GB", "80%"]
    assert "mem_mb: 1500" in text
    assert "minutes: 10" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status", "nowhere"], "nowhere: is not there"),
        (["status", "."], ".: holds no experiment"),
        (["status", ".", "--every", "0"], "--every 0.0"),
        (["status", ".", "--json", "--watch"], "--json and --watch"),
        (["plan", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["plan", str(ROOT / "config/smoke.yaml"), "--profile", "nowhere"], "--profile nowhere: no such folder"),
        (["plan", str(ROOT / "config/smoke.yaml"), "--seconds", "-1"], "--seconds -1.0"),
    ],
)
def test_mistakes_are_told_in_a_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"must: {message}")
    assert errors.count("\n") == 1


def test_mistakes_of_a_configuration_are_told_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("env: {benchmark: MT10}\nsac: {lrr: 1}\ntraining: {epochs: 0}\n", encoding="utf-8")
    assert main(["plan", str(bad)]) == 2
    errors = capsys.readouterr().err
    assert "sac.lrr: unknown key" in errors
    assert "training.epochs" in errors


def test_every_kind_of_run_has_a_line_and_a_colour(tmp_path: Path) -> None:
    from must.sweep import page, status_text

    assert {str(state) for state in page.COLOURS} >= set(KINDS.values())
    assert set(page.COLOURS) == set(status_text.COLOURS)
