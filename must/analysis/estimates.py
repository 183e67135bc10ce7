"""Aggregates of groups with their intervals, each worked out once."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from must.analysis.aggregates import (
    Interval,
    Statistic,
    interquartile_mean,
    probability_of_improvement,
    with_interval,
)
from must.analysis.load import Group, Results
from must.analysis.statistics import FloatArray

_NOTHING = Interval(math.nan, math.nan, math.nan)


def estimate(statistic: Statistic, *scores: FloatArray) -> Interval:
    """Give a statistic with its interval; the same scores always give the same one, whatever else is in a table."""
    return _estimate(statistic, *((matrix.shape, matrix.tobytes()) for matrix in scores))


@lru_cache(maxsize=4096)  # a table's text, its LaTeX, its records and the figures ask for the same
def _estimate(statistic: Statistic, *scores: tuple[tuple[int, ...], bytes]) -> Interval:
    matrices = (np.frombuffer(data).reshape(shape) for shape, data in scores)
    return with_interval(statistic, *matrices, rng=np.random.default_rng(0))


def final_iqm(results: Results, group: Group) -> Interval:
    """Give the interquartile mean of the final success over seeds and tasks."""
    return estimate(interquartile_mean, results.final(group))


def improvement(results: Results, group: Group) -> Interval:
    """Give the probability that a run of a group ends better than one of the control; nothing for the control."""
    control = results.control_of(group)
    if control is None or control is group:
        return _NOTHING
    return estimate(probability_of_improvement, results.final(group), results.final(control))
