"""The sweep as the workflow sees it: how it is read, what its runs are started with, which of them are finished."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from must.config import load_experiment
from must.config.yaml_text import write_yaml
from must.errors import ConfigError
from must.workflow.sweep import Batches, Sweep, read_configuration
from tests.support.helpers import SMALL, merged

RUNS = ("pruning_ratio~0/update_interval~na/seed~0", "pruning_ratio~0/update_interval~na/seed~1")


def sweep(**changes: Any) -> Sweep:
    small = merged(SMALL, {"sweep": {"seeds": [0, 1], "pruning_ratios": [0]}, **changes})
    return Sweep.parse(small, source="here")


def finish(results: Path, planned: Sweep, *paths: str) -> None:
    """Make directories as finished runs leave them."""
    seeds = {spec.path: spec.seed for spec in planned.experiment.runs()}
    for path in paths or planned.runs:
        directory = results / "runs" / path
        directory.mkdir(parents=True, exist_ok=True)
        settings = planned.experiment.run_config().model_dump(mode="json")
        settings["masks"]["pruning_ratio"] = 0
        settings["training"]["seed"] = seeds[path]
        (directory / "config.yaml").write_text(write_yaml(settings), encoding="utf-8")
        (directory / "result.json").write_text("{}", encoding="utf-8")


def test_later_files_and_assignments_win_key_by_key(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("env: {benchmark: MT10, horizon: 50}\nsac: {lr: 1e-3}\n", encoding="utf-8")
    second.write_text("env: {horizon: 60}\n", encoding="utf-8")
    found = read_configuration([first, second], ["sac={gamma: 0.9}", "name=x"])
    assert found == {"env": {"benchmark": "MT10", "horizon": 60}, "sac": {"lr": 1e-3, "gamma": 0.9}, "name": "x"}


def test_a_key_given_twice_in_an_assignment_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"--config env=.*twice"):
        read_configuration([], ["env={horizon: 1, horizon: 2}"])


def test_a_mistake_names_its_source() -> None:
    with pytest.raises(ConfigError, match=r"^here: sac\.lrr: unknown key"):
        sweep(sac={"lrr": 1})


def test_the_image_may_be_required() -> None:
    planned = sweep(container={"required": True})
    planned.require_image(in_image=True)
    with pytest.raises(ConfigError, match=r"container\.required"):
        planned.require_image(in_image=False)


def test_each_attempt_asks_for_more_up_to_the_longest_walltime() -> None:
    resources = sweep(resources={"mem_mb": 100, "minutes": 10, "max_minutes": 15, "gpus": 1}).resources(runs=3)
    assert [resources["mem_mb"](None, attempt) for attempt in (1, 2)] == [300, 600]
    assert [resources["runtime"](None, attempt) for attempt in (1, 2)] == [10, 15]
    assert resources["gres"] == "gpu:1"


def test_a_run_is_finished_with_the_settings_that_it_has_now_only(tmp_path: Path) -> None:
    planned = sweep()
    finish(tmp_path, planned)
    assert load_experiment(tmp_path / "runs" / RUNS[0] / "config.yaml").masks.pruning_ratio == 0
    assert all(planned.is_finished(path, tmp_path / "runs") for path in RUNS)
    changed = sweep(sac={"lr": 0.5})
    assert not any(changed.is_finished(path, tmp_path / "runs") for path in RUNS)


@pytest.mark.parametrize("damage", ["", "env: [", "no experiment"])
def test_what_cannot_be_read_is_not_finished(tmp_path: Path, damage: str) -> None:
    planned = sweep()
    finish(tmp_path, planned)
    (tmp_path / "runs" / RUNS[0] / "config.yaml").write_text(damage, encoding="utf-8")
    assert not planned.is_finished(RUNS[0], tmp_path / "runs")


@pytest.mark.parametrize("size", [1, 2, 3])
def test_results_are_asked_for_where_all_are_finished_whatever_the_size_of_jobs(tmp_path: Path, size: int) -> None:
    planned = sweep()
    finish(tmp_path, planned)
    found = Batches(planned, tmp_path, size).outcomes(lambda run: True)
    assert found == [tmp_path / "runs" / path / "result.json" for path in RUNS]


def test_a_job_is_done_once_more_when_a_run_is_lost(tmp_path: Path) -> None:
    planned = sweep()
    batches = Batches(planned, tmp_path, 1)
    reports = [tmp_path / "batches" / f"{number:04}-1.json" for number in (0, 1)]
    assert batches.outcomes(lambda run: True) == reports
    finish(tmp_path, planned)
    reports[0].parent.mkdir()
    for report in reports:
        report.touch()
    assert batches.trained == []
    batches.outcomes(lambda run: True)
    assert batches.trained == [tmp_path / "runs" / path / "result.json" for path in RUNS]

    shutil.rmtree(tmp_path / "runs" / RUNS[1])
    again = Batches(sweep(), tmp_path, 1).outcomes(lambda run: True)
    assert again == [tmp_path / "runs" / RUNS[0] / "result.json", tmp_path / "batches" / "0001-1.1.json"]


def test_a_job_finds_its_runs_by_its_name_whatever_is_finished(tmp_path: Path) -> None:
    planned = sweep()
    batches = Batches(planned, tmp_path, 1)
    before = batches.arguments("0001-1.3")
    finish(tmp_path, planned)
    assert batches.arguments("0001-1.3") == before == [RUNS[1], "--pruning-ratio 0 --seed 1"]
