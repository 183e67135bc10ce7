"""The words of tables and figures for axes, settings and tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from must.config import NOT_APPLICABLE, RunConfig, axis_named
from must.config.methods import CONTROL, DEFAULT, METHODS

NOTHING = "\N{EN DASH}"
"""Stands in a cell for what does not exist."""


def heading(axis: str) -> str:
    """Return the heading of a swept axis."""
    return axis_named(axis).heading


def value_label(axis: str, value: str) -> str:
    """Write a swept value: methods by their names, flags as on and off, what the run does not read as a dash."""
    if value == NOT_APPLICABLE:
        return NOTHING
    if axis == "method":
        return METHODS[value].label
    if axis_named(axis).values == "flag":
        return "on" if value == "1" else "off"
    return value


def method_label(config: RunConfig) -> str:
    """Name the method of a run; MUST that prunes nothing is multi-task SAC."""
    return METHODS[CONTROL].label if config.method == DEFAULT and config.dense else config.spec.label


def parts(params: Iterable[tuple[str, str]], short: bool = False) -> list[str]:
    """Write each setting in words, such as ``pruning ratio 0.5``; what the run does not read is left out.

    Args:
        params: Axis, value.
        short: Whether ``ratio 0.5`` is to do.
    """
    return [_part(axis, value, short) for axis, value in params if value != NOT_APPLICABLE]


def _part(axis: str, value: str, short: bool) -> str:
    known, label = axis_named(axis), value_label(axis, value)
    if known.values == "bare":
        return label
    name = (short and known.short_heading) or known.heading
    return f"{name if name == known.config_path else name.lower()} {label}"


def describe(params: Iterable[tuple[str, str]]) -> str:
    """Write settings in words, such as ``pruning ratio 0.5, update interval 25, seed 1``."""
    return ", ".join(parts(params))


def differences(settings: Sequence[dict[str, str]]) -> list[list[str]]:
    """Write the settings of each of several variants in words, leaving out what all of them share."""
    shared = set.intersection(*(set(each.items()) for each in settings)) if settings else set()
    return [parts(item for item in each.items() if item not in shared) for each in settings]


def short_task_names(tasks: Iterable[str]) -> list[str]:
    """Drop Meta-World's version from task names, for figures: ``door-open-v3`` becomes ``door-open``."""
    return [task.removesuffix("-v3") for task in tasks]


def count_of(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 run``, ``2 runs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def commit_labels(commits: Mapping[str, bool]) -> list[str]:
    """Shorten commits (hash -> whether the tree had uncommitted changes) for a note."""
    return [f"{commit[:12]}{' with uncommitted changes' if dirty else ''}" for commit, dirty in sorted(commits.items())]
