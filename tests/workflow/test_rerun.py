"""What is done again after a finished experiment was changed, and what is left alone. Nothing here is mocked: the
experiment was trained for real, and each test plans on what that left behind."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.workflow import Workflow

DENSE = {f"pruning_ratio~0/update_interval~na/seed~{seed}" for seed in (0, 1)}
SPARSE = {f"pruning_ratio~0.5/update_interval~2/seed~{seed}" for seed in (0, 1)}


def test_a_finished_experiment_is_left_alone(finished: Workflow, smoke: dict[str, Any]) -> None:
    assert not finished.plan(smoke).jobs


def test_a_comment_and_the_order_of_keys_do_not_matter(finished: Workflow, smoke: dict[str, Any]) -> None:
    text = "# nothing but a comment\n" + yaml.safe_dump(dict(reversed(smoke.items())), sort_keys=False)
    assert not finished.plan(text).jobs


def test_settings_that_cannot_change_a_result_do_not_train(finished: Workflow, smoke: dict[str, Any]) -> None:
    smoke["logging"] = {"tensorboard": True}
    smoke["training"]["checkpoint_minutes"] = 3
    smoke["resources"]["mem_mb"] = 2345
    assert not finished.plan(smoke).jobs


def test_a_changed_setting_trains_every_run(finished: Workflow, smoke: dict[str, Any]) -> None:
    smoke["sac"]["lr"] = 0.001
    plan = finished.plan(smoke)
    assert plan.trained == DENSE | SPARSE
    assert plan.jobs["aggregate"] == plan.jobs["figures"] == 1


def test_an_added_seed_only_adds(finished: Workflow, smoke: dict[str, Any]) -> None:
    smoke["sweep"]["seeds"] = [0, 1, 2]
    plan = finished.plan(smoke)
    assert plan.trained == {
        "pruning_ratio~0/update_interval~na/seed~2",
        "pruning_ratio~0.5/update_interval~2/seed~2",
    }
    assert plan.jobs["aggregate"] == plan.jobs["figures"] == 1


def test_a_removed_seed_trains_nothing(finished: Workflow, smoke: dict[str, Any]) -> None:
    smoke["sweep"]["seeds"] = [0]
    plan = finished.plan(smoke)
    assert not plan.trained
    assert plan.jobs["aggregate"] == plan.jobs["figures"] == 1


def test_a_setting_changed_together_with_an_added_seed_is_not_overlooked(
    finished: Workflow, smoke: dict[str, Any]
) -> None:
    smoke["sweep"]["seeds"] = [0, 1, 2]
    smoke["sac"]["gamma"] = 0.9
    assert len(finished.plan(smoke).trained) == 6


def test_how_runs_are_reported_trains_nothing(finished: Workflow, smoke: dict[str, Any]) -> None:
    smoke["report"] = {"final_evaluations": 2}
    plan = finished.plan(smoke)
    assert not plan.trained
    assert plan.jobs["aggregate"] == plan.jobs["figures"] == 1


def test_touched_files_train_nothing(finished: Workflow, smoke: dict[str, Any], tmp_path: Path) -> None:
    directory = tmp_path / "copy"
    shutil.copytree(finished.directory, directory)
    touched = [path for name in ("config.yaml", "manifest.json", "eval.csv") for path in directory.rglob(name)]
    assert len(touched) == 1 + 3 * 4
    for path in touched:
        os.utime(path)
    assert not Workflow(directory).plan(smoke).jobs


@pytest.mark.parametrize(
    "lost", ["pruning_ratio~0/update_interval~na/seed~0", "pruning_ratio~0.5/update_interval~2/seed~1"]
)
def test_a_lost_run_is_trained_alone(finished: Workflow, smoke: dict[str, Any], tmp_path: Path, lost: str) -> None:
    directory = tmp_path / "copy"
    shutil.copytree(finished.directory, directory)
    shutil.rmtree(directory / "results/smoke/runs" / lost)
    shutil.rmtree(directory / "results/smoke/tables")
    assert Workflow(directory).plan(smoke).trained == {lost}
