"""Aggregates of groups with their intervals, each worked out once."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from must.analysis.aggregates import (
    Interval,
    Statistic,
    area_under_curve,
    interquartile_mean,
    mean,
    probability_of_improvement,
    with_interval,
)
from must.analysis.load import Group, Results
from must.analysis.statistics import FloatArray

_NOTHING = Interval(math.nan, math.nan, math.nan)


def estimate(statistic: Statistic, *scores: FloatArray) -> Interval:
    """Return a statistic of scores, each (R, K), with its interval."""
    return _estimate(statistic, *((matrix.shape, matrix.tobytes()) for matrix in scores))


@lru_cache(maxsize=4096)  # a table's text, its LaTeX, its records and the figures ask for the same
def _estimate(statistic: Statistic, *scores: tuple[tuple[int, ...], bytes]) -> Interval:
    return with_interval(statistic, *(np.frombuffer(data).reshape(shape) for shape, data in scores))


def area(group: Group) -> FloatArray:
    """Return the (R, K) areas under the learning curves of a group's runs, task by task."""
    if not group.finished:
        return np.zeros((0, len(group.tasks)))
    return area_under_curve(group.env_steps_per_task, np.moveaxis(group.success, 1, 2))


def final_mean(results: Results, group: Group) -> Interval:
    """Return the mean of the final success over seeds and tasks."""
    return estimate(mean, results.final(group))


def final_iqm(results: Results, group: Group) -> Interval:
    """Return the interquartile mean of the final success over seeds and tasks."""
    return estimate(interquartile_mean, results.final(group))


def mean_area(group: Group) -> Interval:
    """Return the area under the learning curve, mean over seeds and tasks."""
    return estimate(mean, area(group))


def improvement(results: Results, group: Group, control: Group | None) -> Interval:
    """Return the probability that a run of a group ends better than one of a control; nothing for that itself."""
    if control is None or control is group:
        return _NOTHING
    return estimate(probability_of_improvement, results.final(group), results.final(control))


def improvement_of_runs(results: Results, group: Group, control: Group | None) -> FloatArray:
    """Return for each run of a group (R,) the probability that it ends better than a run of a control."""
    if control is None or control is group or not control.finished:
        return np.zeros(0)
    return probability_of_improvement(results.final(group)[:, None, :], results.final(control))


def area_improvement(group: Group, control: Group | None) -> Interval:
    """Return the probability that a run of a group has a larger area under its curve than one of a control."""
    if control is None or control is group:
        return _NOTHING
    return estimate(probability_of_improvement, area(group), area(control))
