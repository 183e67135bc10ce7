"""A running sweep on a terminal: one bar for all of it, and a line for each run that is being trained."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from must.config import Experiment, load_experiment
from must.errors import MustError
from must.run_files import CONFIG
from must.sweep.going_on import going_on
from must.sweep.head import read_head
from must.sweep.state import State, how_it_ended
from must.sweep.survey import Memory, RunStatus, Survey, survey
from must.words import count_of, duration

LOOK_SECONDS = 2.0
"""Seconds between two looks at the files of a sweep: each costs some hundredths of a second."""
_MOST_LINES = 16
"""Runs that have a line of their own; on a cluster there may be hundreds."""


class SweepView:
    """What there is to see of an experiment that is being trained; it looks at the files again every so often."""

    def __init__(self, directory: Path) -> None:
        """Look at an experiment whose head has started.

        Args:
            directory: ``results/<name>``.
        """
        self._directory, self._memory = directory, Memory()
        self._experiment: Experiment | None = None
        self._looked = float("-inf")
        self._found: Survey | None = None

    def look(self, force: bool = False) -> Survey | None:
        """Return how the sweep stands; None where that cannot be told.

        Args:
            force: Look now, however new the last look is.
        """
        if force or time.monotonic() - self._looked >= LOOK_SECONDS:
            try:
                if self._experiment is None:
                    self._experiment = load_experiment(self._directory / CONFIG)
                self._found = survey(self._experiment, self._directory, self._memory)
            except (MustError, OSError):
                self._found = None
            self._looked = time.monotonic()
        return self._found

    def run(self, path: str) -> RunStatus | None:
        """Return how one run stands, now."""
        found = self.look(force=True)
        return None if found is None else next((run for run in found.runs if run.path == path), None)

    def ended(self, path: str, log: Path) -> State | None:
        """Return whether a run whose job has ended is finished, or was interrupted on request; else None.

        Args:
            path: The run's; `run` would take one that ended just now for one that starts again.
            log: The job's log.
        """
        return how_it_ended(self._directory / "runs" / path, log)

    def going_on(self) -> str:
        """Return the command that trains what is left; empty where that cannot be told."""
        found = self.look(force=True)
        if found is None or found.counts.get(State.FINISHED, 0) == len(found.runs):
            return ""
        return going_on(found.experiment, self._directory, read_head(self._directory), None)

    def draw(self, width: int, others: list[str]) -> RenderableType:
        """Return the bar and the lines.

        Args:
            width: Columns of the terminal.
            others: What else is at work: jobs that train nothing.
        """
        found = self.look()
        lines: list[RenderableType] = [] if found is None else [_bar(found, width), *_run_lines(found, width)]
        return Group(*lines, *(Text(f"  {text}", no_wrap=True, overflow="ellipsis") for text in others))


def told(found: Survey) -> str:
    """Return how a sweep stands in one line, with the runs that are being trained."""
    finished, running = found.counts.get(State.FINISHED, 0), _running(found)
    parts = [f"{finished} of {count_of(len(found.runs), 'run')} finished, {_outlook(found)}"]
    parts += [f"{run.path} {run.look.epoch}/{run.setting.epochs}" for run in running[:4]]
    return "; ".join(parts) + (f"; and {len(running) - 4} more" if len(running) > 4 else "")


def _outlook(found: Survey) -> str:
    parts = [f"{found.progress:.0%}"]
    if found.progress < 1 and found.seconds_left is not None:
        parts.append(f"{duration(found.seconds_left)} left")
    failed = found.counts.get(State.FAILED, 0)
    parts += [f"{failed} failed"] if failed else []
    if found.success is not None:
        parts.append(f"success {found.success:.2f}")
    return ", ".join(parts)


def _running(found: Survey) -> list[RunStatus]:
    return [run for run in found.runs if run.state is State.RUNNING]


def _bar(found: Survey, width: int) -> RenderableType:
    name, finished = found.experiment.name, found.counts.get(State.FINISHED, 0)
    words = f"{finished} of {len(found.runs)} runs, {_outlook(found)}"
    room = width - len(name) - len(words) - 3
    grid = Table.grid(padding=(0, 1, 0, 0))
    cells: list[RenderableType] = [Text(name, style="bold")]
    if room >= 8:
        cells.append(ProgressBar(total=1.0, completed=found.progress, width=min(room, 40)))
    for _ in range(len(cells) + 1):
        grid.add_column(no_wrap=True, overflow="ellipsis")
    grid.add_row(*cells, Text(words))
    return grid


def _run_lines(found: Survey, width: int) -> list[RenderableType]:
    running = _running(found)
    lines: list[RenderableType] = []
    for run in running[:_MOST_LINES]:
        success = "" if run.look.success is None else f"success {run.look.success:.2f}"
        left = "" if run.seconds_left is None else f"{duration(run.seconds_left)} left"
        left = "starting" if run.look.epoch == 0 else left
        digits = len(str(run.setting.epochs))
        numbers = f"epoch {run.look.epoch:>{digits}}/{run.setting.epochs}  {success:<12}  {left}"
        room = max(12, width - max(len(numbers), 32 + 2 * digits) - 5)
        lines.append(Text(f"  {crop(run.path, room):<{room}}  {numbers}", no_wrap=True, overflow="ellipsis"))
    if len(running) > _MOST_LINES:
        lines.append(Text(f"  and {len(running) - _MOST_LINES} more runs that are being trained"))
    return lines


def crop(path: str, room: int) -> str:
    """Return a path that fits: its end, which tells runs apart, is kept."""
    return path if len(path) <= room else "…" + path[len(path) - room + 1 :]
