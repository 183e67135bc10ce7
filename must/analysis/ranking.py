"""All settings of all methods, best first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from must.analysis.aggregates import Interval
from must.analysis.estimates import final_iqm, improvement
from must.analysis.labels import method_label, parts
from must.analysis.load import Group, Results
from must.config import NOT_APPLICABLE


class Ranked(NamedTuple):
    """A group and its place."""

    rank: int | None
    """1 for the best; equals share a rank. None where no run counts."""
    name: str
    """The method, and the settings that set it apart."""
    group: Group
    middle: Interval
    """Interquartile mean of the final success."""
    improvement: Interval
    """Probability of being better than the control."""


def ranked(results: Results, groups: Sequence[Group]) -> list[Ranked]:
    """Sort groups on the same tasks by the interquartile mean of their final success, those without a run last.

    Equals share a rank, and stand in the order of their means.
    """
    rows = [
        Ranked(None, name, group, final_iqm(results, group), improvement(results, group))
        for name, group in zip(names_of(groups), groups, strict=True)
    ]

    def merit(row: Ranked) -> tuple[float, float]:
        return -round(row.middle.value, 9), -results.mean_final(row.group)

    placed = sorted((row for row in rows if row.group.finished), key=merit)
    values = [merit(row)[0] for row in placed]
    finished = [row._replace(rank=values.index(value) + 1) for row, value in zip(placed, values, strict=True)]
    return [*finished, *(row for row in rows if not row.group.finished)]


def names_of(groups: Sequence[Group], without: Sequence[str] = ()) -> list[str]:
    """Name groups by their methods, and by those of their settings that differ from one group to another.

    The name of a variant of the sweep is there where several variants share the method and the pruning ratio.

    Args:
        groups: On the same tasks.
        without: Axes that no name is to hold.
    """
    return [", ".join(words) for words in words_of(groups, without)]


def words_of(groups: Sequence[Group], without: Sequence[str] = ()) -> list[list[str]]:
    """Give the parts of the names; see `names_of`."""
    values: dict[str, set[str]] = {}
    sharing: dict[tuple[str, str], set[str]] = {}
    for group in groups:
        for axis, value in _settings(group, without).items():
            values.setdefault(axis, set()).add(value)
        sharing.setdefault(_method_and_ratio(group, without), set()).add(group.settings.get("variant", ""))
    differing = {axis for axis, seen in values.items() if len(seen) > 1}
    named = [
        differing if len(sharing[_method_and_ratio(group, without)]) > 1 else differing - {"variant"}
        for group in groups
    ]
    short = [_words(group, without, axes) for group, axes in zip(groups, named, strict=True)]
    often = Counter(map(tuple, short))
    return [
        _words(group, without, set(values)) if often[tuple(words)] > 1 else words
        for group, words in zip(groups, short, strict=True)
    ]


def _method_and_ratio(group: Group, without: Sequence[str]) -> tuple[str, str]:
    return method_label(group.config), _settings(group, without).get("pruning_ratio", "")


def _settings(group: Group, without: Sequence[str]) -> dict[str, str]:
    dropped = ("method", *without)
    return {axis: value for axis, value in group.settings.items() if axis not in dropped and value != NOT_APPLICABLE}


def _words(group: Group, without: Sequence[str], axes: set[str]) -> list[str]:
    named = [(axis, value) for axis, value in _settings(group, without).items() if axis in axes]
    return [method_label(group.config), *parts(named, short=True)]
