"""The words of tables and figures for axes, settings, tasks and methods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from must.config import NOT_APPLICABLE, RunConfig, axis_named
from must.config.methods import CONTROL, DEFAULT, METHODS, STATIC_CONTROL
from must.data.runs import Group

NOTHING = "\N{EN DASH}"
"""Stands in a cell for what does not exist."""
CONTROL_LABEL, STATIC_LABEL = METHODS[CONTROL].label, METHODS[STATIC_CONTROL].label


def heading(axis: str) -> str:
    """Return the heading of a swept axis."""
    return axis_named(axis).heading


def value_label(axis: str, value: str) -> str:
    """Write a swept value: methods by their names, flags as on and off, what the run does not read as a dash."""
    if value == NOT_APPLICABLE:
        return NOTHING
    if axis == "method":
        return METHODS[value].label
    if axis == "env_tasks":  # in a path, the names are joined by an x
        return value.replace("-v3x", "-v3, ")
    return {"1": "on"}.get(value, "off") if axis_named(axis).values == "flag" else value


def method_label(config: RunConfig) -> str:
    """Name the method of a run; MUST that prunes nothing is multi-task SAC."""
    return CONTROL_LABEL if config.method == DEFAULT and config.dense else config.spec.label


def ratio_label(group: Group) -> str:
    """Name a group in a legend of pruning ratios."""
    if not group.dense:
        return f"{group.pruning_ratio:.10g}"
    return "dense" if group.is_multi_task_sac and group.config.method != CONTROL else method_label(group.config)


def parts(params: Iterable[tuple[str, str]], short: bool = False) -> list[str]:
    """Write each setting (axis, value) in words, such as ``pruning ratio 0.5``, or shortly as ``ratio 0.5``.

    What the run does not read is left out.
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


def short_number(value: float) -> str:
    """Write a count shortly: 20000 as ``20k``."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:.4g}"


def names_of(groups: Sequence[Group], without: Sequence[str] = ()) -> list[str]:
    """Name groups by their methods, and by those of their settings that differ from one group to another.

    The name of a variant of the sweep is there where several variants share the method and the pruning ratio.

    Args:
        groups: On the same tasks.
        without: Axes that no name is to hold.
    """
    return [", ".join(words) for words in words_of(groups, without)]


def words_of(groups: Sequence[Group], without: Sequence[str] = ()) -> list[list[str]]:
    """Return the parts of the names; see `names_of`."""
    dropped = ("method", *without)
    settings = [{a: v for a, v in each.settings.items() if a not in dropped and v != NOT_APPLICABLE} for each in groups]
    kinds = [
        (method_label(group.config), own.get("pruning_ratio", "")) for group, own in zip(groups, settings, strict=True)
    ]
    sharing: dict[tuple[str, str], set[str]] = {}
    values: dict[str, set[str]] = {}
    for group, kind, own in zip(groups, kinds, settings, strict=True):
        sharing.setdefault(kind, set()).add(group.settings.get("variant", ""))
        for axis, value in own.items():
            values.setdefault(axis, set()).add(value)
    differing = {axis for axis, seen in values.items() if len(seen) > 1}

    def words(position: int, axes: set[str]) -> list[str]:
        named = [(axis, value) for axis, value in settings[position].items() if axis in axes]
        return [kinds[position][0], *parts(named, short=True)]

    short = [words(i, differing if len(sharing[kind]) > 1 else differing - {"variant"}) for i, kind in enumerate(kinds)]
    often = Counter(map(tuple, short))
    return [words(i, set(values)) if often[tuple(each)] > 1 else each for i, each in enumerate(short)]
