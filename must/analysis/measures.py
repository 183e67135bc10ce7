"""What a group of runs achieved, and where that stands among others."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from must.analysis.statistics import (
    NOTHING,
    FloatArray,
    Interval,
    area_under_curve,
    interquartile_mean,
    mean,
    probability_of_improvement,
    with_interval,
)
from must.data import Group, Results
from must.data.names import names_of


def area(group: Group) -> FloatArray:
    """Return the (R, K) areas under the learning curves of a group's runs, task by task."""
    if not group.finished:
        return np.zeros((0, len(group.tasks)))
    return area_under_curve(group.curve_steps, np.moveaxis(group.curve, 1, 2))


def final_mean(results: Results, group: Group) -> Interval:
    """Return the mean of the final success over seeds and tasks."""
    return with_interval(mean, results.final(group))


def final_iqm(results: Results, group: Group) -> Interval:
    """Return the interquartile mean of the final success over seeds and tasks."""
    return with_interval(interquartile_mean, results.final(group))


def improvement(results: Results, group: Group, control: Group | None, by_area: bool = False) -> Interval:
    """Return the probability that a run of a group ends better, or has more area under its curve, than a control's.

    Nothing where there is no control, and for that itself.
    """
    if control is None or control is group:
        return NOTHING
    pair = (area(group), area(control)) if by_area else (results.final(group), results.final(control))
    return with_interval(probability_of_improvement, *pair)


def improvement_of_runs(results: Results, group: Group, control: Group | None) -> FloatArray:
    """Return for each run of a group (R,) the probability that it ends better than a run of a control."""
    if control is None or control is group or not control.finished:
        return np.zeros(0)
    return probability_of_improvement(results.final(group)[:, None, :], results.final(control))


class Ranked(NamedTuple):
    """A group and its place."""

    rank: int | None
    """By mean final success: 1 for the best; equals share a rank. None where no run counts."""
    rank_by_iqm: int | None
    """The same by the interquartile mean."""
    name: str
    """The method, and the settings that set it apart."""
    group: Group
    runs: FloatArray
    """(R,) final success of each run, mean over its tasks."""
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
    runs = [results.final(group).mean(axis=1) for group in groups]
    columns = (_places(means), _places(middles), names_of(groups), groups, runs, means, middles, controls)
    rows = [Ranked(*row) for row in zip(*columns, strict=True)]
    last = len(rows) + 1
    return sorted(rows, key=lambda row: (row.rank or last, row.rank_by_iqm or last))


def overlapping(rows: Sequence[Ranked]) -> list[tuple[str, str]]:
    """Return the pairs of neighbours in a ranking whose order the runs do not settle.

    Their intervals overlap, or one of them has too few seeds for an interval.
    """
    shown = [row for row in rows if row.rank is not None]
    return [
        (above.name, below.name) for above, below in itertools.pairwise(shown) if not above.mean.low > below.mean.high
    ]


def _places(values: Sequence[Interval]) -> list[int | None]:
    """Return the place of each value, 1 for the highest and the same for equals; None for what does not exist."""
    rounded = [round(each.value, 9) for each in values]  # means of the same rates may differ in the last digit
    return [None if math.isnan(value) else 1 + sum(other > value for other in rounded) for value in rounded]
