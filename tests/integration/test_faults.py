"""Whatever happens to a run, it ends with the bytes of an undisturbed one, or with a clear error and nothing lost."""

import json
import os
import random
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from tests.support.faults import (
    EVERY_EPOCH,
    PYTHON_THAT_LOSES_ITS_WORKERS_WHILE_IT_LEARNS,
    PYTHON_WITH_A_CLOCK_THAT_JUMPS_BACK,
    Run,
    end,
    kill,
    processes_with,
    shared_memory,
    workers,
)
from tests.support.processes import contents, wait_for
from tests.support.small_disk import in_own_mounts


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("undisturbed")).finish()


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(monkeypatch):
    token, segments = uuid.uuid4().hex, shared_memory()
    monkeypatch.setenv("MUST_TEST_TOKEN", token)
    yield
    assert not processes_with("MUST_TEST_TOKEN", token)
    assert shared_memory() <= segments


def test_a_second_signal_changes_nothing(undisturbed, tmp_path):
    run = Run(tmp_path)
    process = run.start(epochs=3)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.002)
    process.send_signal(signal.SIGTERM)
    end(process, 75)
    assert run.finish() == undisturbed


def test_a_signal_before_the_first_epoch_loses_nothing(undisturbed, tmp_path):
    run = Run(tmp_path)
    process = run.start()
    wait_for(process, (run.directory / "eval.csv").exists)  # by then the signals are caught
    process.send_signal(signal.SIGTERM)
    end(process, 75)
    assert run.finish() == undisturbed


def test_a_long_epoch_is_dropped_and_what_was_before_it_is_saved(tmp_path):
    run = Run(tmp_path, training={"opt_times": 10_000_000})
    process = run.start(epochs=1)  # of pretraining; the next one would take hours
    time.sleep(0.5)
    process.send_signal(signal.SIGUSR1)
    end(process, 75)
    (index,) = (run.directory / "checkpoints").glob("*.json")
    assert json.loads(index.read_text())["epoch"] == 1
    assert run.epochs == 1


def test_a_killed_worker(undisturbed, tmp_path):
    run = Run(tmp_path, "--n-workers", "2")
    process = run.start(epochs=3)
    os.kill(workers(process)[0], signal.SIGKILL)
    errors = end(process, 2)
    assert errors.count("must: ") == 1
    assert "was killed by signal 9" in errors
    assert list((run.directory / "checkpoints").glob("*.json"))  # the epochs before are not lost
    assert run.finish() == undisturbed


def test_a_worker_that_is_killed_while_the_learner_learns(undisturbed, tmp_path):
    """Nobody asks it anything then: it is missed at the end of the epoch, whose beginning is saved."""
    run = Run(tmp_path)
    command = [*PYTHON_THAT_LOSES_ITS_WORKERS_WHILE_IT_LEARNS, *run.command[3:]]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert "was killed by signal 9" in end(process, 2)
    (index,) = (run.directory / "checkpoints").glob("*.json")
    assert json.loads(index.read_text())["epoch"] == 4
    assert run.finish() == undisturbed


@pytest.mark.slow
def test_a_worker_that_hangs(undisturbed, tmp_path):
    run = Run(tmp_path, "--set", "training.worker_timeout_minutes=0.1")
    process = run.start(epochs=3)
    os.kill(workers(process)[0], signal.SIGSTOP)
    errors = end(process, 2)
    assert "has not answered" in errors
    assert "worker_timeout_minutes" in errors
    assert list((run.directory / "checkpoints").glob("*.json"))
    assert Run(tmp_path).finish() == undisturbed


@pytest.mark.slow
def test_a_disk_that_is_read_only_or_full(tmp_path):
    errors = in_own_mounts("tests.support.small_disk", tmp_path)
    assert "read-only" in errors["read-only"]
    assert "no space left" in errors["logging"]
    assert "no space left" in errors["checkpoint"]
    assert not any("Traceback" in text for text in errors.values())
    assert contents(tmp_path / "left") == Run(tmp_path, training={"epochs": 30}).finish()


def test_a_loss_that_is_not_finite_takes_nothing_with_it(tmp_path):
    run = Run(tmp_path, "--set", "env.reward_scale=1e30", "--set", "training.pretrain_epochs=3")
    for _ in range(2):  # the second time it goes on from the last sound epoch, to the same end
        errors = end(run.start(), 2)
        assert errors.count("must: ") == 1
        assert "epoch 4" in errors
        assert run.epochs == 3
        assert list((run.directory / "checkpoints").glob("*.json"))


def test_a_damaged_checkpoint_is_passed_over(undisturbed, tmp_path):
    """Each kind of damage to each kind of file: tests/unit/training/test_checkpoint.py."""
    run = Run(tmp_path, *EVERY_EPOCH)
    process = run.start(epochs=4)
    process.send_signal(signal.SIGTERM)
    end(process, 75)
    newest = sorted((run.directory / "checkpoints").glob("*.pt"))[-1]
    newest.write_bytes(newest.read_bytes()[:-100])
    done = subprocess.run(run.command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{newest} is damaged" in done.stderr
    assert contents(run.directory) == undisturbed


def test_a_clock_that_jumps_back(undisturbed, tmp_path):
    run = Run(tmp_path)
    arguments = run.command[run.command.index("train") :]
    run.command = [*PYTHON_WITH_A_CLOCK_THAT_JUMPS_BACK, *arguments]
    process = run.start(epochs=3)
    process.send_signal(signal.SIGTERM)
    end(process, 75)
    assert run.finish() == undisturbed
    manifest = json.loads((run.directory / "manifest.json").read_text())
    assert manifest["ended"] < manifest["started"]


def test_nothing_listens_on_the_network(tmp_path):
    run = Run(tmp_path, training={"epochs": 2000})
    process = run.start(epochs=1)
    sockets = set()
    for number in (process.pid, *workers(process)):
        for entry in Path(f"/proc/{number}/fd").iterdir():
            target = str(entry.readlink())
            if target.startswith("socket:["):
                sockets.add(target[len("socket:[") : -1])
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process.pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                listening.add(fields[9])
    process.send_signal(signal.SIGTERM)
    end(process, 75)
    assert not sockets & listening


def test_a_kill_during_a_checkpoint(tmp_path):
    large = {"network": {"hidden_sizes": [300, 300]}, "training": {"epochs": 6}}
    wanted = Run(tmp_path, name="undisturbed", **large).finish()
    run = Run(tmp_path, *EVERY_EPOCH, **large)
    for _ in range(10):
        process = run.start()
        wait_for(process, lambda: half_written(run) and run.epochs >= 2)
        kill(process)
        if half_written(run):
            break
    assert half_written(run)  # it was killed in the middle of one
    assert run.finish() == wanted


def half_written(run: Run) -> bool:
    return any((run.directory / "checkpoints").glob(".*.pt.tmp"))


def test_a_kill_during_a_mask_update(tmp_path):
    long = {"training": {"opt_times": 200, "epochs": 3}}
    wanted = Run(tmp_path, name="undisturbed", **long).finish()
    run = Run(tmp_path, *EVERY_EPOCH, **long)
    process = run.start(epochs=2)  # one of pretraining and an ordinary one; the third updates the masks
    time.sleep(0.3)
    kill(process)
    assert run.epochs == 2
    assert run.finish() == wanted


@pytest.mark.slow
def test_twenty_kills_at_random_moments(tmp_path):
    longer = {"training": {"opt_times": 20, "epochs": 150}}
    wanted = Run(tmp_path, name="undisturbed", **longer).finish()
    moments, runs, reached = random.Random(0), [Run(tmp_path, *EVERY_EPOCH, name="run-0", **longer)], []
    for _ in range(20):
        if (runs[-1].directory / "result.json").exists():
            runs.append(Run(tmp_path, *EVERY_EPOCH, name=f"run-{len(runs)}", **longer))
        starts = trainings_begun(runs[-1])
        process = runs[-1].start()
        wait_for(process, lambda run=runs[-1], before=starts: trainings_begun(run) > before)
        time.sleep(moments.uniform(0, 3))
        kill(process)
        reached.append((runs[-1].directory.name, runs[-1].epochs))
    assert len(set(reached)) > 10, reached  # the kills hit different moments
    for run in runs:
        assert run.finish() == wanted


def trainings_begun(run: Run) -> int:
    log = run.directory / "train.log"
    return log.read_text().count("training from") if log.exists() else 0
