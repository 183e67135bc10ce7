"""Several runs in one process, each in a thread of its own: on a GPU their kernels overlap, and they share a context.

Each run has its own agent, stream, random state, logs, checkpoints and workers, and leaves the bytes that it leaves
alone. One that fails does not stop the others.
"""

from __future__ import annotations

import logging
import math
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from must.config import RunConfig
from must.environment import cores_here
from must.errors import EXIT_INTERRUPTED, EXIT_USER_ERROR, ConfigError, MustError
from must.streams import announce, explain
from must.training.device import process_settings
from must.training.progress import add_handler
from must.training.run import train
from must.training.stop import StopRequests, ThreadStop

FINISHED, FAILED = 0, 1
"""Exit statuses of a run, as of ``must train``; others are `EXIT_USER_ERROR` and `EXIT_INTERRUPTED`."""

log = logging.getLogger("must")


class Job(NamedTuple):
    """A run that is to be trained."""

    name: str
    read: Callable[[], RunConfig]
    """Returns its settings, or raises `MustError`."""
    out: Path
    log: Path
    """Where what it says goes."""


def train_together(jobs: Sequence[Job], slots: int, keep_old: bool) -> dict[str, int]:
    """Train runs side by side; return the exit status of each that was begun.

    A signal that asks to stop is handed on to all of them, and no other is begun.

    Args:
        jobs: The runs.
        slots: How many are trained at a time.
        keep_old: See `train`.
    """
    n_workers = math.ceil(cores_here() / max(1, min(slots, len(jobs))))
    waiting, running = [_Run(job, n_workers, keep_old) for job in jobs], list[_Run]()
    statuses: dict[str, int] = {}
    with StopRequests() as stop:
        while running or (waiting and not stop.received):
            while waiting and len(running) < slots and waiting[0].can_join(running) and not stop.received:
                run = waiting.pop(0)
                running.append(run)
                announce(f"{run.job.name}: begins")
                run.start()
            if stop.received:
                for run in running:
                    run.stop.request()
            for run in [run for run in running if not run.is_alive()]:
                run.join()
                running.remove(run)
                statuses[run.job.name] = run.status
                announce(f"{run.job.name}: exit status {run.status}")
            time.sleep(0.05)
    return statuses


class _Run(threading.Thread):
    """The thread of a run. A process that ends does not wait for it."""

    def __init__(self, job: Job, n_workers: int, keep_old: bool) -> None:
        super().__init__(name=job.name, daemon=True)
        self.job, self._keep_old = job, keep_old
        self.stop = ThreadStop(n_workers)
        self.status = FAILED
        self._config: RunConfig | MustError
        try:
            self._config = job.read()
            if self._config.logging.wandb != "off":
                raise ConfigError(
                    "logging.wandb: needs a process for each run; set it to off, or resources.one_process to false"
                )
        except MustError as error:
            self._config = error

    def can_join(self, others: Sequence[_Run]) -> bool:
        """Return whether this run has the settings of a process that the others have."""
        settings = [_process_settings(run._config) for run in (*others, self)]
        known = [each for each in settings if each is not None]
        return all(each == known[0] for each in known)

    def run(self) -> None:
        """Train, and keep the status."""
        try:
            self.job.log.parent.mkdir(parents=True, exist_ok=True)
            handler: logging.Handler = logging.FileHandler(self.job.log, encoding="utf-8")
        except OSError as error:
            announce(f"{self.job.name}: {explain(error)}")
            self.status = EXIT_USER_ERROR
            return
        add_handler(handler)
        try:
            self.status = self._train()
        finally:
            log.removeHandler(handler)
            handler.close()
            self.stop.close()

    def _train(self) -> int:
        try:
            if isinstance(self._config, MustError):
                raise self._config
            finished = train(self._config, self.job.out, self._keep_old, self.stop)
        except MustError as error:
            return _fail(str(error))
        except OSError as error:
            return _fail(explain(error))
        except BaseException:  # noqa: BLE001 (whatever ends a run ends no other)
            with suppress(OSError):
                log.error("the run ended with an error:\n%s", traceback.format_exc())
            return FAILED
        return FINISHED if finished else EXIT_INTERRUPTED


def _process_settings(config: RunConfig | MustError) -> tuple[object, ...] | None:
    return None if isinstance(config, MustError) else process_settings(config.training)


def _fail(message: str) -> int:
    with suppress(OSError):
        log.error("must: %s", message)
    return EXIT_USER_ERROR
