"""Requests to stop: signals that end a run after a checkpoint, or end all runs of a process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGHUP)
"""They ask a run to stop; a second SIGINT stops it at once, without a checkpoint. SIGHUP: its terminal was closed."""


class StopRequested(BaseException):
    """A signal came in the middle of what may be dropped."""


class StopRequests:
    """Catches `SIGNALS`; a context manager."""

    def __init__(self) -> None:
        """Catch nothing yet."""
        self.received = False
        """Whether a signal came."""
        self._interrupting = self._interrupted_by_user = False
        self._before: dict[int, Any] = {}
        self._terminals: list[int] = []

    @contextmanager
    def interrupt(self) -> Iterator[None]:
        """Make a signal raise `StopRequested` at whatever instruction of the block it meets.

        What the block was working on is in no defined state then.
        """
        self._interrupting = True
        try:
            yield
        finally:
            self._interrupting = False

    def __enter__(self) -> StopRequests:
        self._terminals = [descriptor for descriptor in (1, 2) if os.isatty(descriptor)]
        # Under nohup a closed terminal means nothing.
        ignored = {signal.SIGHUP} if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else set()
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS if number not in ignored}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and self._interrupted_by_user:
            raise KeyboardInterrupt
        self._interrupted_by_user |= number == signal.SIGINT
        self.received = True
        if number == signal.SIGHUP:
            self._leave_terminal()
        if self._interrupting:
            self._interrupting = False  # signals often come twice: what follows the first must be left in peace
            raise StopRequested

    def _leave_terminal(self) -> None:
        """Write to nowhere what would go to the terminal: there, it would be an error from now on."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for descriptor in self._terminals:
            os.dup2(nowhere, descriptor)
        os.close(nowhere)


class ThreadStop:
    """Requests to stop a run that shares its process with others: signals reach the main thread alone."""

    def __init__(self, n_workers: int) -> None:
        """Request nothing yet; the run may have ``n_workers`` workers."""
        self.n_workers = n_workers
        self.received = False
        """Whether there was a request."""
        self._interrupting = False
        self._readable, self._writable = os.pipe()

    def request(self) -> None:
        """Ask the run to stop; called by another thread."""
        if not self.received:
            self.received = True
            os.write(self._writable, b"1")

    @contextmanager
    def interrupt(self) -> Iterator[None]:
        """Have `check` raise `StopRequested` in the block: between gradient steps, and while workers are waited for."""
        self._interrupting = True
        try:
            self.check()
            yield
        finally:
            self._interrupting = False

    def check(self) -> None:
        """Raise `StopRequested` if there was a request, and what the run is at may be dropped."""
        if self.received and self._interrupting:
            raise StopRequested

    def fileno(self) -> int:
        """Return a descriptor that can be read from when there was a request."""
        return self._readable

    def close(self) -> None:
        """Close the descriptors; there is no request after this."""
        self.received = True
        os.close(self._readable)
        os.close(self._writable)

    def __enter__(self) -> ThreadStop:
        return self

    def __exit__(self, *_: object) -> None:
        """Catch nothing that would have to be let go."""
