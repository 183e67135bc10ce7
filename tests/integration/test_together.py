"""Several runs in one process: each leaves what it leaves alone, and none takes the others with it."""

import json
import os
import signal
import subprocess

import pytest
import yaml

from must.config import load_experiment
from must.training import train
from tests.support.helpers import SMALL, merged
from tests.support.local_collector import LocalCollector
from tests.support.processes import contents, epochs_logged, must_command, wait_for

RUNS = {
    "sparse": "--seed 1 --pruning-ratio 0.5 --set evaluation.beside=true",
    "dense": "--seed 2 --method mt_sac",
    "surgery": "--seed 1 --method pcgrad --n-tasks 2",
}
SETTINGS = merged(SMALL, {"training": {"epochs": 25, "epoch_frames": 15}, "sac": {"buffer_size": 180}})


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "experiment.yaml"
    path.write_text(yaml.safe_dump(SETTINGS))
    return path


def overrides(options: str) -> dict[str, str]:
    keys = {"--seed": "training.seed", "--pruning-ratio": "masks.pruning_ratio", "--n-tasks": "env.n_tasks"}
    words = options.replace("--set evaluation.beside=true", "").split()
    return {keys.get(word, word.removeprefix("--")): value for word, value in zip(words[::2], words[1::2], strict=True)}


@pytest.mark.slow
def test_runs_that_share_a_process_leave_what_they_leave_alone(config, tmp_path, monkeypatch):
    """They are interrupted on the way, at least the last to begin; and two fail, which the others do not notice."""
    monkeypatch.setattr("must.training.run.Collector", LocalCollector)
    results = tmp_path / "results"
    (results / "runs").mkdir(parents=True)
    (results / "runs" / "failing").write_text("in the way\n")
    arguments = [word for run in {**RUNS, "failing": "--seed 3", "wrong": "--seed x"}.items() for word in run]
    command = must_command("train-together", "--config", config, "--results", results, "--slots", "4", *arguments)
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    logs = [results / "runs" / run / "train.csv" for run in RUNS]
    wait_for(process, lambda: all(epochs_logged(log) >= 2 for log in logs))
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 75
    states = {run: json.loads((results / "runs" / run / "manifest.json").read_text())["state"] for run in RUNS}
    stopped = [run for run, state in states.items() if state == "interrupted"]
    assert stopped
    assert set(states.values()) <= {"interrupted", "finished"}
    assert output.count("exit status 75") == len(stopped)

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stderr
    assert "failing: exit status 2" in done.stdout
    assert "wrong: exit status 2" in done.stdout
    log = results / "logs" / "train"
    assert "is a file" in (log / "failing.log").read_text()
    assert "--seed x: use a whole number" in (log / "wrong.log").read_text()
    for run, options in RUNS.items():
        alone = tmp_path / "alone" / run
        assert train(load_experiment(config, overrides(options)).run_config(), alone)
        assert contents(results / "runs" / run) == contents(alone)
        for text in ((log / f"{run}.log").read_text(), (results / "runs" / run / "train.log").read_text()):
            assert text.count(f"training from epoch 0 to 26 in {results / 'runs' / run}") == 1
            assert text.count("training from epoch") == 1 + (run in stopped)  # and nothing of the others


def test_a_second_interrupt_from_the_keyboard_stops_at_once_and_leaves_no_process(config, tmp_path):
    command = must_command("train-together", "--config", config, "--results", "r", "one", "--set training.epochs=2000")
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
    wait_for(process, lambda: epochs_logged(tmp_path / "r/runs/one/train.csv") >= 1)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) in (75, 130)  # the first may have ended it already
    wait_for(process, lambda: not _lives(process.pid))


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
