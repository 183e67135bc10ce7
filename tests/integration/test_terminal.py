"""A terminal that is closed under a run: all its processes are told by SIGHUP, and its output goes nowhere."""

import json
import os
import pty
from contextlib import suppress
from pathlib import Path

from tests.support.processes import epochs_logged, must_command, wait_for


class Terminal:
    """A program in a terminal of its own, as its foreground job."""

    def __init__(self, command: list[str], place: Path) -> None:
        self.pid, self._screen = pty.fork()
        if not self.pid:
            os.chdir(place)
            os.execv(command[0], command)  # noqa: S606 - no shell wanted

    def poll(self) -> int | None:
        """Read what is on the screen, lest the program waits for that; give None while it runs."""
        os.set_blocking(self._screen, False)
        with suppress(BlockingIOError, OSError):
            os.read(self._screen, 65536)
        return None

    def close(self) -> int:
        """Close the window; return the exit status."""
        os.close(self._screen)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_a_closed_terminal_ends_a_run_with_a_checkpoint(config_file, tmp_path):
    """That such a run goes on to the same bytes: test_resume.py, by the other signals."""
    out = tmp_path / "run"
    command = must_command("train", "--config", config_file(training={"epochs": 2000}), "--out", out)
    terminal = Terminal(command, tmp_path)
    wait_for(terminal, lambda: epochs_logged(out / "train.csv") >= 1)
    assert terminal.close() == 75
    assert list((out / "checkpoints").glob("*.json"))
    assert json.loads((out / "manifest.json").read_text())["state"] == "interrupted"
