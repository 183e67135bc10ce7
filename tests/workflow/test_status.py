"""`must status` beside a real Snakemake: what it has planned is waiting, and the command that it tells goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from must.config import load_experiment
from must.sweep.state import State
from must.sweep.survey import Survey, survey
from tests.support.helpers import ROOT
from tests.support.processes import epochs_logged, wait_for
from tests.support.small_disk import in_own_mounts
from tests.support.workflow import Workflow

RUNS = "results/smoke/runs/pruning_ratio~0/update_interval~na"


def look(directory: Path) -> Survey:
    place = directory / "results" / "smoke"
    return survey(load_experiment(place / "config.yaml"), place)


def states(directory: Path) -> list[State]:
    return [run.state for run in look(directory).runs]


@pytest.mark.parametrize("runs_per_job", [1, 2])
def test_what_a_head_has_planned_is_waiting(tmp_path: Path, smoke: dict[str, Any], runs_per_job: int) -> None:
    """With two runs in a job, the second waits for the first whether or not the head lives: the job goes on."""
    smoke["sweep"] = {"seeds": [0, 1], "pruning_ratios": [0]}
    smoke["training"]["epochs"] = 100_000
    smoke["resources"]["runs_per_job"] = runs_per_job
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(smoke), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--configfile", "config.yaml"]
    env = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    log = tmp_path / RUNS
    with (tmp_path / "head.log").open("w") as output:
        head = subprocess.Popen(
            [*command, "--cores", "1"], cwd=tmp_path, env=env, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_for(head, lambda: sum(epochs_logged(path) for path in log.glob("*/timing.csv")) >= 2)
        assert sorted(states(tmp_path)) == [State.RUNNING, State.WAITING]
        found = look(tmp_path)
        assert found.head is not None
        assert found.head.at_work
        assert found.next_command == ""
        head.kill()
        head.wait()
        left = State.MISSING if runs_per_job == 1 else State.WAITING
        assert sorted(states(tmp_path)) == sorted([State.RUNNING, left])
        assert look(tmp_path).next_command.startswith("snakemake --snakefile ")
    finally:
        os.killpg(head.pid, signal.SIGKILL)
    wait_for_end(tmp_path)
    assert sorted(states(tmp_path)) == [State.INTERRUPTED, State.MISSING]


def wait_for_end(directory: Path) -> None:
    """Wait until the system has ended what was killed."""
    for _ in range(2000):
        if State.RUNNING not in states(directory):
            return
    raise AssertionError("still running")


def test_what_failed_is_told_with_its_error_its_log_and_the_command(workflow: Workflow, smoke: dict[str, Any]) -> None:
    smoke["sweep"] = {"seeds": [0], "pruning_ratios": [0]}
    run = workflow.directory / RUNS / "seed~0"
    run.mkdir(parents=True)
    (run / "notes.txt").write_text("in the way\n", encoding="utf-8")
    assert workflow.snakemake("--cores", "1", config=smoke).returncode == 1
    found = look(workflow.directory)
    failed = found.runs[0]
    assert failed.state is State.FAILED
    assert "holds files that are not a run" in failed.look.reason
    assert Path(failed.look.log).read_text(encoding="utf-8").strip().endswith(failed.look.reason)
    assert found.head is not None
    assert not found.head.at_work
    assert "--cores 1" in found.next_command


@pytest.mark.parametrize("checkpoint_minutes", [1e-9, 10])
def test_a_run_whose_disk_is_full_says_so(tmp_path: Path, smoke: dict[str, Any], checkpoint_minutes: float) -> None:
    """One that fails as it writes a checkpoint has room to say why; one that cannot even log is told by its disk."""
    smoke["sweep"] = {"seeds": [0], "pruning_ratios": [0]}
    smoke["training"] |= {"epochs": 100_000, "checkpoint_minutes": checkpoint_minutes}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(smoke), encoding="utf-8")
    (tmp_path / "disk").mkdir()
    state, reason = in_own_mounts("tests.support.full_disk", tmp_path / "disk", tmp_path / "config.yaml")
    assert state in ("failed", "interrupted")
    assert "no space left on the disk" in reason
