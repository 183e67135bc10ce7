"""All settings of all methods, best first."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from must.analysis.aggregates import Interval
from must.analysis.estimates import final_iqm, final_mean, improvement
from must.analysis.labels import method_label, parts
from must.analysis.load import Group, Results
from must.config import NOT_APPLICABLE


class Ranked(NamedTuple):
    """A group and its place."""

    rank: int | None
    """By mean final success: 1 for the best; equals share a rank. None where no run counts."""
    rank_by_iqm: int | None
    """The same by the interquartile mean."""
    name: str
    """The method, and the settings that set it apart."""
    group: Group
    mean: Interval
    """Mean of the final success."""
    middle: Interval
    """Interquartile mean of the final success."""
    improvement: Interval
    """Probability of being better than the control."""


def ranked(results: Results, groups: Sequence[Group]) -> list[Ranked]:
    """Sort groups on the same tasks by their mean final success, those without a run last.

    Equals share a rank, and stand in the order of their interquartile means.
    """
    means = [final_mean(results, group) for group in groups]
    middles = [final_iqm(results, group) for group in groups]
    controls = [improvement(results, group, results.control_of(group)) for group in groups]
    places, names = (_places(means), _places(middles)), names_of(groups)
    rows = [Ranked(*row) for row in zip(*places, names, groups, means, middles, controls, strict=True)]
    last = len(rows) + 1
    return sorted(rows, key=lambda row: (row.rank or last, row.rank_by_iqm or last))


def _places(values: Sequence[Interval]) -> list[int | None]:
    """Return the place of each value, 1 for the highest and the same for equals; None for what does not exist."""
    rounded = [round(each.value, 9) for each in values]  # means of the same rates may differ in the last digit
    return [None if math.isnan(value) else 1 + sum(other > value for other in rounded) for value in rounded]


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
