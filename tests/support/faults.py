"""What the tests of faults share: a small run that can be disturbed, and what an undisturbed one leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from tests.support.helpers import SMALL, merged
from tests.support.processes import contents, epochs_logged, must_command, wait_for

EVERY_EPOCH = ("--set", "training.checkpoint_minutes=1e-9")
# Episodes of 10 steps in epochs of 15: epochs end in the middle of an episode. The replay buffer's rings wrap around.
SETTINGS: dict[str, Any] = {
    "training": {"epochs": 8, "epoch_frames": 15},
    "sac": {"buffer_size": 180},
}


class Run:
    """One run directory, in which a training is started, disturbed and started again."""

    def __init__(self, place: Path, *options: str, name: str = "run", **sections: dict[str, Any]) -> None:
        """Write the configuration."""
        self.directory = place / name
        self.config = place / f"{name}.yaml"
        self.config.write_text(yaml.safe_dump(merged(merged(SMALL, SETTINGS), sections)))
        self.command = must_command("train", "--config", self.config, "--out", self.directory, *options)

    def start(self, epochs: int = 0) -> subprocess.Popen[str]:
        """Start the training, and wait until it has logged so many epochs."""
        process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True, start_new_session=True)
        wait_for(process, lambda: self.epochs >= epochs)
        return process

    def finish(self) -> dict[str, bytes]:
        """Train to the end; return the contents of what must be the same in every run."""
        done = subprocess.run(self.command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return contents(self.directory)

    @property
    def epochs(self) -> int:
        """Epochs that are in the log."""
        return epochs_logged(self.directory / "train.csv")


def end(process: subprocess.Popen[str], status: int) -> str:
    """Wait for a training's end; return its error stream."""
    _, errors = process.communicate(timeout=120)
    assert process.returncode == status, errors
    assert "Traceback" not in errors
    return errors


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a training as the kernel does when memory is short."""
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


def workers(process: subprocess.Popen[str]) -> list[int]:
    """Return the process numbers of a training's workers."""
    command = ["pgrep", "-P", str(process.pid), "-f", "spawn_main"]
    return [int(line) for line in subprocess.run(command, capture_output=True, text=True).stdout.split()]


def processes_with(variable: str, value: str) -> list[int]:
    """Return the processes that have a variable with this value in their environment; wait a little for none."""
    wanted = f"{variable}={value}".encode()
    for _ in range(200):
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if wanted in path.read_bytes().split(b"\0") and int(path.parent.name) != os.getpid():
                    found.append(int(path.parent.name))
            except OSError:  # it has ended, or is another user's
                continue
        if not found:
            return []
        time.sleep(0.05)
    return found


def shared_memory() -> set[str]:
    """Return the shared-memory segments that torch and multiprocessing make, under the names they give them."""
    place = Path("/dev/shm")  # noqa: S108 (where the system keeps them)
    return {path.name for path in place.glob("*") if path.name.startswith(("torch_", "psm_", "pymp", "sem.mp"))}


PYTHON_WITH_A_CLOCK_THAT_JUMPS_BACK = [
    sys.executable,
    "-c",
    """
import itertools, sys, time
from must import manifest
from must.cli import main
hours, now = itertools.count(), time.time
time.time = lambda: now() - 3600 * next(hours)
class Clock(manifest.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)
manifest.datetime = Clock
sys.exit(main(sys.argv[1:]))
""",
]

PYTHON_THAT_LOSES_ITS_WORKERS_WHILE_IT_LEARNS = [
    sys.executable,
    "-c",
    """
import multiprocessing, sys
from must.cli import main
from must.training.trainer import Trainer
learn = Trainer._learn
def learn_alone(trainer):
    row = learn(trainer)
    if trainer.epoch == 5:
        for worker in multiprocessing.active_children():
            worker.kill()
            worker.join()
    return row
Trainer._learn = learn_alone
if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
""",
]
