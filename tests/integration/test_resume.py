"""An interrupted run ends with the same bytes as an undisturbed one (the twelfth defect of the original)."""

import itertools
import json
import os
import signal
import subprocess
import time
from importlib import metadata

import pytest

from must import manifest
from must.collect import Collector
from must.config import METHODS
from must.training import train
from tests.support.helpers import merged, small_config
from tests.support.processes import contents, epochs_logged, must_command, wait_for

KINDS = {
    "neuron": [],
    "weight": ["--set", "masks.granularity=weight", "--set", "masks.mask_biases=true"],
    "dense": ["--pruning-ratio", "0"],
}
EVERY_EPOCH = ["--set", "training.checkpoint_minutes=1e-9"]


@pytest.mark.parametrize(
    "options",
    [pytest.param(KINDS[kind], id=kind, marks=() if kind == "neuron" else pytest.mark.slow) for kind in KINDS],
)
def test_a_terminated_run_goes_on_exactly(must, config_file, tmp_path, options):
    # Episodes of 10 steps and epochs of 15: interruptions fall into the middle of an episode. The ring wraps around.
    config = config_file(training={"epoch_frames": 15, "epochs": 8}, sac={"buffer_size": 180})
    command = ["train", "--config", config, *options, *EVERY_EPOCH]
    must(*command, "--out", "undisturbed")
    out = tmp_path / "disturbed"
    for epochs in (2, 5):
        process = subprocess.Popen(must_command(*command, "--out", out, "--n-workers", epochs % 2 + 1), cwd=tmp_path)
        wait_for(process, lambda wanted=epochs: epochs_logged(out / "train.csv") >= wanted)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 75
        assert json.loads((out / "manifest.json").read_text())["state"] == "interrupted"
        assert not (out / "result.json").exists()
    must(*command, "--out", out)
    assert contents(tmp_path / "undisturbed") == contents(out)
    content = json.loads((out / "manifest.json").read_text())
    assert content["state"] == "finished"
    assert len(content["resumed"]) == 2
    assert not (out / "checkpoints").exists()
    assert epochs_logged(out / "timing.csv") == 9


HEADS = {"architecture": "heads"}
KINDS = {name: {"method": name} for name in METHODS if name not in ("must", "mt_sac")} | {
    "pcgrad, heads": {"method": "pcgrad", "network": HEADS},
    "magnitude, heads": {"method": "magnitude", "network": HEADS},
    "must, heads, famo": {"method": "must", "network": HEADS, "sac": {"task_weighting": "famo"}},
    "normalised rewards": {"env": {"reward_normalisation": "gymnasium"}},
    "uniform actions, terminal time limits": {
        "training": {"pretrain_actions": "uniform", "pretrain_epochs": 4},
        "sac": {"terminal_at_horizon": True, "q_clip": 5.0},
    },
    "targets of three steps": {"sac": {"n_step": 3}},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_terminated_run_of_any_kind_goes_on_exactly(kind, tmp_path, monkeypatch):
    """In this process, by a real signal in the middle of an epoch: starting programs would take most of the time."""
    schedule = {"training": {"epoch_frames": 15, "epochs": 8}, "sac": {"buffer_size": 180}}
    config = small_config(**merged(schedule, KINDS[kind]))
    assert train(config, tmp_path / "undisturbed")
    collect, out = Collector.collect, tmp_path / "disturbed"
    left = [3, 4]

    def disturbed(*arguments):
        left[0] -= 1
        if left[0] == 0:
            del left[0]
            os.kill(os.getpid(), signal.SIGTERM)
        return collect(*arguments)

    monkeypatch.setattr(Collector, "collect", disturbed)
    assert [train(config, out) for _ in range(2)] == [False, False]
    left.append(-1)
    assert train(config, out)
    assert len(json.loads((out / "manifest.json").read_text())["resumed"]) == 2
    assert contents(tmp_path / "undisturbed") == contents(out)


def test_a_killed_run_goes_on_from_its_checkpoint_without_torn_or_double_rows(must, config_file, tmp_path):
    config = config_file(training={"epochs": 8})
    command = ["train", "--config", config, *EVERY_EPOCH]
    must(*command, "--out", "undisturbed")
    out = tmp_path / "disturbed"
    process = subprocess.Popen(must_command(*command, "--out", out), cwd=tmp_path)
    wait_for(process, lambda: epochs_logged(out / "train.csv") >= 4)
    process.kill()
    process.wait()
    with (out / "train.csv").open("ab") as file:
        file.write(b"5,torn")
    must(*command, "--out", out)
    assert contents(tmp_path / "undisturbed") == contents(out)


@pytest.mark.slow
def test_a_finished_run_whose_result_was_deleted_is_not_trained_again(must, config_file, tmp_path, monkeypatch):
    """Snakemake deletes the result when the cluster counts the job as failed, which can be after the run's end."""
    monkeypatch.setenv("MUST_GIT_COMMIT", "0" * 40)
    command, out = ["train", "--config", config_file(), "--out", "run"], tmp_path / "run"
    must(*command)
    finished = contents(out)

    def times_trained() -> int:
        (out / "result.json").unlink()
        must(*command)
        assert contents(out) == finished
        assert not (out / "checkpoints").exists()
        return (out / "train.log").read_text().count("training from epoch 0")

    assert times_trained() == 1
    monkeypatch.setenv("MUST_GIT_COMMIT", "1" * 40)  # other software: Snakemake deleted it to have it made anew
    assert times_trained() == 2
    assert times_trained() == 2
    monkeypatch.setenv("MUST_GIT_DIRTY", "1")
    assert times_trained() == 3
    assert times_trained() == 4
    monkeypatch.delenv("MUST_GIT_DIRTY")
    assert times_trained() == 5
    (out / "eval.csv").write_text("damaged")
    assert times_trained() == 6
    damage(out / "final.pt")
    assert times_trained() == 7


def damage(path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture
def interrupted(must, config_file, tmp_path):
    """A run that stopped with two checkpoints, and the command that goes on."""
    config = config_file(training={"epochs": 8})
    command = ["train", "--config", config, *EVERY_EPOCH]
    out = tmp_path / "run"
    process = subprocess.Popen(must_command(*command, "--out", out), cwd=tmp_path)
    wait_for(process, lambda: len(list((out / "checkpoints").glob("*.json"))) == 2)
    process.send_signal(signal.SIGUSR1)
    assert process.wait(60) == 75
    assert len(list((out / "checkpoints").glob("*.json"))) == 2
    return command, out


def test_with_both_damaged_nothing_is_overwritten(must, interrupted):
    command, out = interrupted
    for path in (out / "checkpoints").glob("*.pt"):
        damage(path)
    before = contents(out, ("train.csv", "eval.csv", "config.yaml"))
    for _ in range(2):
        done = must(*command, "--out", out, check=2)
        assert f"delete {out}" in done.stderr
        assert "Traceback" not in done.stderr
    assert contents(out, tuple(before)) == before


def test_a_second_process_on_the_same_directory_refuses(must, config_file, tmp_path):
    command = ["train", "--config", config_file(training={"epochs": 2000}), "--out", tmp_path / "run"]
    process = subprocess.Popen(must_command(*command), cwd=tmp_path)
    try:
        wait_for(process, lambda: epochs_logged(tmp_path / "run" / "train.csv") >= 1)
        done = must(*command, check=2)
        assert "another process" in done.stderr
        # The second one must not have stopped or disturbed the first.
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 75


def test_a_killed_run_leaves_no_worker_behind(config_file, tmp_path):
    command = must_command("train", "--config", config_file(training={"epochs": 2000, "n_workers": 2}), "--out", "run")
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
    wait_for(process, lambda: epochs_logged(tmp_path / "run" / "train.csv") >= 1)
    process.kill()
    process.wait()
    for _ in range(200):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    raise AssertionError("workers outlived their parent")


def test_a_run_that_goes_on_with_other_packages_says_so(tmp_path, monkeypatch, caplog):
    config, collect, calls = small_config(), Collector.collect, itertools.count(1)

    def disturbed(*arguments):
        if next(calls) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return collect(*arguments)

    monkeypatch.setattr(Collector, "collect", disturbed)
    with monkeypatch.context() as before:
        before.setattr(manifest, "_version", lambda _: "0.0.1")
        assert not train(config, tmp_path)
    assert train(config, tmp_path)
    first, second = json.loads((tmp_path / "manifest.json").read_text())["starts"]
    assert (first["epoch"], first["packages"]["torch"]) == (0, "0.0.1")
    assert (second["epoch"], second["packages"]["torch"]) == (2, metadata.version("torch"))
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "torch 0.0.1 -> " in warning
    assert warning in (tmp_path / "train.log").read_text()
