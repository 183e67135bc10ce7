"""A program in a terminal of its own, as its foreground job."""

from __future__ import annotations

import os
import pty
import re
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_CONTROL = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A program in a terminal, and what it has shown there so far."""

    def __init__(self, command: list[str], place: Path, env: Mapping[str, str] | None = None) -> None:
        self.shown = b""
        self.pid, self._screen = pty.fork()
        if not self.pid:
            # As a shell starts what is in the foreground, whatever started these tests in the background.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.chdir(place)
            os.execve(command[0], command, dict(os.environ if env is None else env))  # noqa: S606 - no shell wanted

    @property
    def text(self) -> str:
        """Everything that was shown, without what moves the cursor and colours it."""
        return _CONTROL.sub(b"", self.shown).decode(errors="replace").replace("\r", "")

    def poll(self) -> int | None:
        """Read what is on the screen, lest the program waits for that; give None while it runs."""
        os.set_blocking(self._screen, False)
        with suppress(BlockingIOError, OSError):
            self.shown += os.read(self._screen, 65536)
        return None

    def press(self, keys: bytes) -> None:
        """Type something."""
        os.write(self._screen, keys)

    def wait(self) -> int:
        """Read until the program ends; return its exit status."""
        os.set_blocking(self._screen, True)
        with suppress(OSError):  # the other side is closed
            while part := os.read(self._screen, 65536):
                self.shown += part
        return self._end()

    def close(self) -> int:
        """Close the window; return the exit status."""
        os.close(self._screen)
        return self._end()

    def _end(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
