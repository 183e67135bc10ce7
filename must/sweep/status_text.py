"""How a sweep stands, for a terminal, as plain text, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from must.sweep.state import State
from must.sweep.survey import RunStatus, Survey
from must.words import columns, count_of, duration

COLOURS = {
    State.FINISHED: "green",
    State.RUNNING: "cyan",
    State.WAITING: "blue",
    State.INTERRUPTED: "yellow",
    State.FAILED: "red",
    State.DAMAGED: "red",
    State.STALE: "magenta",
    State.MISSING: "bright_black",
}
TROUBLE = (State.FAILED, State.INTERRUPTED, State.DAMAGED, State.STALE)
"""States of which the reason is told."""
_FEW = 30
"""Runs that are all listed; of more, only those that somebody may want to look at."""
_QUIET = (State.FINISHED, State.WAITING, State.MISSING)
_HEADINGS = ("state", "run", "epoch", "success", "left")
_NUMBERS = (2, 3, 4)


def summary(found: Survey) -> str:
    """Return what is to be said of a sweep in one line."""
    counts = ", ".join(f"{number} {state}" for state, number in found.counts.items())
    return f"{found.experiment.name}: {count_of(len(found.runs), 'run')}: {counts}"


def outlook(found: Survey) -> str:
    """Return how far a sweep is, how long it will take, and how good it is so far, in one line."""
    parts = [f"{found.progress:.0%} of the epochs"]
    if found.progress < 1:
        running = found.counts.get(State.RUNNING, 0)
        parts.append(f"{duration(found.seconds_left)} left" + (f" ({running} at a time)" if running else ""))
        if not found.at_work:
            parts.append("nothing is running")
    if found.success is not None:
        parts.append(f"success so far {found.success:.2f}")
    return ", ".join(parts)


def listed(found: Survey, failed: bool, every: bool) -> list[RunStatus]:
    """Return the runs to list: failed ones only, or those that somebody may want to look at, or all."""
    if failed:
        return [run for run in found.runs if run.state is State.FAILED]
    if every or len(found.runs) <= _FEW:
        return list(found.runs)
    return [run for run in found.runs if run.state not in _QUIET]


def cells(run: RunStatus) -> list[str]:
    """Return a run's row: state, path, epochs, success, time left."""
    success, finished = run.look.success, run.state is State.FINISHED
    left = "" if finished else duration(run.seconds_left)
    epoch = f"{run.look.epoch}/{run.setting.epochs}"
    return [str(run.state), run.path, epoch, "" if success is None else f"{success:.2f}", left]


def notes(found: Survey, runs: Sequence[RunStatus], failed: bool) -> list[str]:
    """Return what is below the list: why runs do not go on by themselves, where more stands, and how to go on."""
    lines = []
    for run in runs:
        if run.state in TROUBLE and run.look.reason:
            lines.append(f"{run.state}: {run.path}: {run.look.reason}")
            if run.look.log and run.state is State.FAILED:
                lines.append(f"    log: {run.look.log}")
    if not failed:
        lines += _left_out(found, runs)
    if found.head is not None and found.head.at_work:
        lines.append(f"at work: {found.head.command} ({found.head.owner})")
    if found.next_command:
        lines.append(f"go on with: {found.next_command}")
    if found.before_next_command:
        lines.append(f"    {found.before_next_command}")
    return lines


def _left_out(found: Survey, runs: Sequence[RunStatus]) -> list[str]:
    """Return a line on the runs that are not listed, if there are any."""
    shown = {run.path for run in runs}
    hidden = Counter(run.state for run in found.runs if run.path not in shown)
    states = [f"{hidden[state]} {state}" for state in State if hidden[state]]
    if not states:
        return []
    return [f"{'not listed' if runs else 'no run is listed'}: {', '.join(states)} (--all lists every run)"]


def plain(found: Survey, failed: bool = False, every: bool = False) -> str:
    """Return all of it as plain text."""
    runs = listed(found, failed, every)
    lines = [summary(found), outlook(found)]
    if runs:
        lines += ["", *columns([_HEADINGS, *map(cells, runs)], right=_NUMBERS)]
    below = notes(found, runs, failed)
    return "\n".join([*lines, *([""] if below else []), *below])


def drawn(found: Survey, failed: bool = False, every: bool = False, rows: int | None = None) -> RenderableType:
    """Return all of it for a terminal.

    Args:
        found: The sweep.
        failed: List failed runs only.
        every: List all runs, however many there are.
        rows: Runs that there is room for; those that are at work come first then.
    """
    runs = listed(found, failed, every)
    shown = runs
    if rows is not None and len(runs) > rows:
        order = list(State)
        rank = {state: (state is State.FINISHED, order.index(state)) for state in order}
        shown = sorted(runs, key=lambda run: rank[run.state])[:rows]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for number, heading in enumerate(_HEADINGS):
        right = number in _NUMBERS
        table.add_column(heading, justify="right" if right else "left", no_wrap=number != 1, overflow="fold")
    for run in shown:
        state, *others = cells(run)
        table.add_row(Text(state, style=COLOURS[run.state]), *map(Text, others))
    bar = Table.grid()  # alone, a bar does not end its line
    bar.add_row(ProgressBar(total=1.0, completed=found.progress, width=40))
    head = Text(summary(found), style="bold")
    parts: list[RenderableType] = [head, bar, Text(outlook(found)), Text()]
    parts += [table, Text()] if shown else []
    if len(shown) < len(runs):
        parts.append(Text(f"{len(runs) - len(shown)} more do not fit here (without --watch all are listed)"))
    return Group(*parts, *(Text(line, overflow="fold") for line in notes(found, runs, failed)))


def as_json(found: Survey, failed: bool = False) -> dict[str, Any]:
    """Return all of it as data."""
    runs = listed(found, failed, every=True)
    return {
        "name": found.experiment.name,
        "directory": str(found.directory),
        "states": {str(state): number for state, number in found.counts.items()},
        "progress": found.progress,
        "success": found.success,
        "seconds_left": found.seconds_left,
        "at_work": found.at_work,
        "go_on": found.next_command,
        "before_going_on": found.before_next_command,
        "runs": [
            {
                "path": run.path,
                "state": str(run.state),
                "epoch": run.look.epoch,
                "epochs": run.setting.epochs,
                "success": run.look.success,
                "seconds_left": run.seconds_left,
                "reason": run.look.reason,
                "log": run.look.log,
            }
            for run in runs
        ],
    }
