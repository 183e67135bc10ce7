"""How a run shows that it gets on: a bar on a terminal, plain lines in the log file."""

from __future__ import annotations

import logging
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 30.0

log = logging.getLogger("must")


class RunProgress:
    """Reports epochs; a context manager."""

    def __init__(self, log_file: Path, total: int, done: int, on_screen: bool = True) -> None:
        """Append to ``log_file``; show a bar where the error stream is a terminal, and the same lines where it is not.

        Args:
            log_file: The run's ``train.log``.
            total: Epochs of the run.
            done: Epochs that are complete already.
            on_screen: Whether to show anything beside the file.
        """
        self._total, self._done_before = total, done
        self._started = self._last_line = time.monotonic()
        self._handlers: list[logging.Handler] = [_LogFile(log_file)]
        self._bar: Progress | None = None
        self._task = TaskID(0)
        if on_screen and sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("epoch"),
                MofNCompleteColumn(),
                BarColumn(),
                TextColumn("success {task.fields[success]:.2f}  {task.fields[speed]:.0f} steps/s "),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._handlers.append(_AboveBar(self._bar))
            self._task = self._bar.add_task("train", total=total, completed=done, success=0.0, speed=0.0)
        elif on_screen:
            self._handlers.append(logging.StreamHandler(sys.stderr))
        for handler in self._handlers:
            add_handler(handler)

    def report(self, epoch: int, success: float, env_steps: int, env_steps_before: int) -> None:
        """Report a finished epoch: the newest mean success rate, and the environment steps of all tasks."""
        now = time.monotonic()
        speed = (env_steps - env_steps_before) / max(now - self._started, 1e-9)
        if self._bar is not None:
            self._bar.update(self._task, completed=epoch, success=success, speed=speed)
        if epoch == self._total or now - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = now
            left = (self._total - epoch) * (now - self._started) / max(epoch - self._done_before, 1)
            log.info(
                "epoch %d/%d  success %.3f  %.0f steps/s  %.1f min left", epoch, self._total, success, speed, left / 60
            )

    def __enter__(self) -> RunProgress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        for handler in self._handlers:
            log.removeHandler(handler)
            handler.close()


def add_handler(handler: logging.Handler) -> None:
    """Have a handler write what this thread logs, each line with its time."""
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handler.addFilter(OfThisThread())
    log.addHandler(handler)
    log.setLevel(logging.INFO)


class OfThisThread(logging.Filter):
    """Lets through what the thread logs that made it: runs that share a process have a thread each."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is this thread's."""
        return record.thread == self._thread


class _AboveBar(logging.Handler):
    """Prints warnings on the terminal that shows the bar."""

    def __init__(self, bar: Progress) -> None:
        super().__init__(logging.WARNING)
        self._bar = bar

    def emit(self, record: logging.LogRecord) -> None:
        self._bar.console.print(self.format(record), markup=False, highlight=False)


class _LogFile(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the library's name)
        """Go on where a line cannot be written: when the disk is full, the logs that matter fail with a clear error."""
