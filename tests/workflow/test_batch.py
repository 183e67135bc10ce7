"""Several runs in one job: planned by the job, each with its own log and result, and none takes the others with it."""

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

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


@pytest.mark.parametrize("size", [2, 3, 4])
def test_finished_runs_count_as_finished_whatever_they_shared_a_job_with(
    finished: Workflow, smoke: dict[str, Any], size: int
) -> None:
    smoke["resources"]["runs_per_job"] = size
    assert not finished.plan(smoke).jobs


def test_a_changed_setting_trains_finished_runs_together(finished: Workflow, batch: dict[str, Any]) -> None:
    batch["sac"]["lr"] = 0.001
    assert finished.plan(batch).jobs == Counter(train=2, aggregate=1, figures=1, default=1)


def test_an_added_seed_adds_a_job(finished: Workflow, batch: dict[str, Any]) -> None:
    batch["sweep"]["seeds"] = [0, 1, 2]
    assert finished.plan(batch).jobs["train"] == 1


def test_a_lost_run_is_trained_though_its_job_was_done_before(
    finished: Workflow, batch: dict[str, Any], tmp_path: Path
) -> None:
    copy = Workflow(tmp_path / "copy")
    shutil.copytree(finished.directory, copy.directory)
    report = copy.directory / "results/smoke/batches/0001-2.json"
    report.parent.mkdir()
    report.write_text("{}\n", encoding="utf-8")
    (copy.directory / "results/smoke/runs/pruning_ratio~0/update_interval~na/seed~1/result.json").unlink()
    done = copy.snakemake("--dry-run", config=batch)
    assert done.returncode == 0, done.stderr
    assert "batches/0001-2.1.json" in done.stdout
    assert "batches/0000" not in done.stdout


@pytest.mark.slow
def test_runs_trained_alone_and_then_together_with_other_settings_are_finished(
    finished: Workflow, batch: dict[str, Any], tmp_path: Path
) -> None:
    copy = Workflow(tmp_path / "copy")
    shutil.copytree(finished.directory, copy.directory)
    batch["sac"]["gamma"] = 0.9
    batch["sweep"] = {"seeds": [0, 1], "pruning_ratios": [0]}
    done = copy.snakemake("--cores", "2", config=batch)
    assert done.returncode == 0, done.stdout + done.stderr
    batch["resources"]["runs_per_job"] = 1
    assert not copy.plan(batch).jobs


@pytest.mark.slow
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
    for size in (1, 2, 3):
        batch["resources"]["runs_per_job"] = size
        assert not workflow.plan(batch).jobs
    batch["sac"]["lr"] = 0.001
    batch["resources"]["runs_per_job"] = 1
    assert workflow.plan(batch).jobs["train_anew"] == 2  # though Snakemake does not know what they were trained with


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("one_process", [[], ["--one-process"]], ids=["a process each", "one process"])
def test_a_request_to_stop_is_handed_on(tmp_path: Path, number: signal.Signals, one_process: list[str]) -> None:
    """With a stand-in for `must`, which tells what it got; that a run then checkpoints, tests/integration holds."""
    stand_in, ready = tmp_path / "must", tmp_path / "ready"
    stand_in.write_text(
        f"#!{sys.executable}\nimport pathlib, signal, sys\n"
        f"signal.signal({int(number)}, lambda *_: exit(75))\n"
        f"pathlib.Path({str(ready)!r}).write_text(sys.argv[1])\nsignal.pause()\n"
    )
    stand_in.chmod(0o755)
    command = [sys.executable, "-m", "must.workflow.batch", "--config", "c.yaml", "--results", tmp_path]
    command += ["--finished", tmp_path / "finished.json", "--slots", "1", *one_process, "seed~0", "--seed 0"]
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    batch = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    while not (ready.exists() and ready.read_text()):
        assert batch.poll() is None
    batch.send_signal(number)
    output, _ = batch.communicate(timeout=60)
    assert batch.returncode == 75
    assert ready.read_text() == ("train-together" if one_process else "train")
    assert one_process or "seed~0: exit status 75" in output


@pytest.mark.slow
def test_runs_that_share_a_gpu_share_a_process(workflow: Workflow, batch: dict[str, Any]) -> None:
    for gpus, asked, expected in ((0, "auto", False), (1, "auto", True), (1, False, False), (0, True, True)):
        batch["resources"] |= {"gpus": gpus, "one_process": asked}
        done = workflow.snakemake("--dry-run", "--cores", "8", "--printshellcmds", config=batch)
        assert ("--one-process" in done.stdout) == expected
