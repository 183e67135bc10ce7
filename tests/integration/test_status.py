"""`must status` of real trainings: one at work, stopped, killed, failed, finished, never begun, of other settings."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from must.config import dump, load_experiment, parse_experiment
from must.sweep.state import State
from must.sweep.survey import RunStatus, survey
from tests.support.faults import SETTINGS, end, kill, workers
from tests.support.helpers import SMALL, merged
from tests.support.processes import epochs_logged, must_command, wait_for


class Sweep:
    """An experiment in ``results/``, whose runs are started as the workflow starts them."""

    def __init__(self, place: Path) -> None:
        training = {"epochs": 2000, "checkpoint_minutes": 1e-9}
        data = merged(merged(SMALL, SETTINGS), {"training": training})
        data |= {"name": "tiny", "sweep": {"seeds": [0, 1, 2], "pruning_ratios": [0]}}
        self.directory = place / "results" / "tiny"
        (self.directory / "runs").mkdir(parents=True)
        (place / "tiny.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
        self.experiment = load_experiment(place / "tiny.yaml")
        (self.directory / "config.yaml").write_text(dump(self.experiment), encoding="utf-8")

    def start(self, seed: int, epochs: int = 3) -> subprocess.Popen[str]:
        """Start a run, and wait until it has logged some epochs."""
        run = self.directory / "runs" / self.experiment.runs()[seed].path
        command = must_command("train", "--config", self.directory / "config.yaml", "--out", run, "--seed", seed)
        command += ["--pruning-ratio", "0"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
        wait_for(process, lambda: epochs_logged(run / "timing.csv") >= epochs)
        return process

    def change(self, **sac: float) -> None:
        """Change settings of the experiment, as a user does who edits its file."""
        self.experiment = parse_experiment(merged(self.experiment.model_dump(mode="json"), {"sac": sac}))

    def status(self) -> list[RunStatus]:
        return list(survey(self.experiment, self.directory).runs)


@pytest.mark.slow
def test_real_runs_in_every_state(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path)
    first, second = sweep.start(0), sweep.start(1)
    try:
        found = sweep.status()
        assert [run.state for run in found] == [State.RUNNING, State.RUNNING, State.MISSING]
        assert found[0].look.epoch >= 3
        assert found[0].seconds_left is not None
        assert found[0].seconds_left > 0
        first.send_signal(signal.SIGTERM)
        end(first, 75)
        kill(second)
        stopped, killed, _ = sweep.status()
        assert [stopped.state, killed.state] == 2 * [State.INTERRUPTED]
        assert stopped.look.reason == "stopped on request"
        assert killed.look.reason == f"was killed (process {second.pid} on {platform.node()})"
        assert min(stopped.look.epoch, killed.look.epoch) >= 2, "what the checkpoint has counts"

        first = sweep.start(0, epochs=stopped.look.epoch + 2)
        assert sweep.status()[0].state is State.RUNNING
        for worker in workers(first):
            os.kill(worker, signal.SIGKILL)
        end(first, 2)
        failed = sweep.status()[0]
        assert failed.state is State.FAILED
        assert "was killed by signal 9" in failed.look.reason
        sweep.change(gamma=0.5)
        assert [run.state for run in sweep.status()] == [State.STALE, State.STALE, State.MISSING]
    finally:
        for process in (first, second):
            if process.poll() is None:
                kill(process)
