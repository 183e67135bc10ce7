"""Several runs in one job: planned by the job, each with its own log and result, and none takes the others with it."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.helpers import ROOT
from tests.support.workflow import Workflow


@pytest.fixture
def batch(smoke: dict[str, Any]) -> dict[str, Any]:
    """Return the smoke experiment with two runs in a job."""
    smoke["resources"]["runs_per_job"] = 2
    return smoke


def test_runs_are_dealt_to_jobs(workflow: Workflow, batch: dict[str, Any]) -> None:
    assert workflow.plan(batch).jobs == Counter(train=2, aggregate=1, figures=1, default=1)
    batch["resources"]["runs_per_job"] = 3
    done = workflow.snakemake("--dry-run", "--cores", "8", "--printshellcmds", config=batch)
    assert done.stdout.count("(cores: 3)") == 2
    assert all(done.stdout.count(f"--seed {seed}'") == 2 for seed in (0, 1))


def test_a_failing_run_does_not_take_the_others_with_it(workflow: Workflow, batch: dict[str, Any]) -> None:
    batch["sweep"] = {"seeds": [0, 1], "pruning_ratios": [0]}
    runs = workflow.directory / "results/smoke/runs/pruning_ratio~0/update_interval~na"
    runs.mkdir(parents=True)
    (runs / "seed~1").write_text("in the way\n", encoding="utf-8")

    failed = workflow.snakemake("--cores", "2", config=batch)
    assert failed.returncode == 1
    names = ("result.json", "train.log", "manifest.json")
    before = {name: (runs / "seed~0" / name).read_bytes() for name in names}
    logs = workflow.directory / "results/smoke/logs/train/pruning_ratio~0/update_interval~na"
    assert "is a file" in (logs / "seed~1.log").read_text(encoding="utf-8")
    assert (logs / "seed~0.log").exists()

    (runs / "seed~1").unlink()
    done = workflow.snakemake("--cores", "2", "--rerun-incomplete", config=batch)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (runs / "seed~1" / "result.json").exists()
    assert {name: (runs / "seed~0" / name).read_bytes() for name in names} == before
    assert (workflow.directory / "results/smoke/tables/success_rate.csv").exists()
    assert not workflow.plan(batch).jobs


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGHUP])
def test_a_request_to_stop_is_handed_on(tmp_path: Path, number: signal.Signals) -> None:
    """With a stand-in for `must`, which tells what it got; that a run then checkpoints, tests/integration holds."""
    stand_in = tmp_path / "must"
    stand_in.write_text(
        f"#!{sys.executable}\nimport signal\n"
        f"signal.signal({int(number)}, lambda *_: exit(75))\nprint('ready', flush=True)\nsignal.pause()\n"
    )
    stand_in.chmod(0o755)
    command = [sys.executable, ROOT / "workflow/scripts/train_batch.py", "--config", "c.yaml", "--results", tmp_path]
    command += ["--finished", tmp_path / "finished.json", "--slots", "1", "seed~0", "--seed 0"]
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    batch = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    log = tmp_path / "logs/train/seed~0.log"
    while not (log.exists() and "ready" in log.read_text()):
        assert batch.poll() is None
    batch.send_signal(number)
    output, _ = batch.communicate(timeout=60)
    assert batch.returncode == 75
    assert "seed~0: exit status 75" in output
