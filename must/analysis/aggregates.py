"""Aggregates over tasks and seeds with intervals, for few seeds (arXiv 2108.13264): pure functions on arrays.

Axes: R runs (seeds), K tasks, E evaluations, N resamples. Scores are success rates, 0 to 1. What takes scores
(..., R, K) gives one value for each leading index, so that all resamples are one call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FloatArray = NDArray[np.float64]

Statistic = Callable[..., FloatArray]
"""Gives a value for each leading index of scores (..., R, K), of one or of two settings."""

RESAMPLES = 2000
CONFIDENCE = 0.95


class Interval(NamedTuple):
    """An aggregate and its interval; the bounds are NaN where one seed, or none, gives no interval."""

    value: float
    low: float
    high: float


def interquartile_mean(scores: FloatArray) -> FloatArray:
    """Give the mean of the middle half of all runs and tasks: (..., R, K) -> (...)."""
    return np.asarray(stats.trim_mean(_flat(scores), 0.25, axis=-1))


def median(scores: FloatArray) -> FloatArray:
    """Give the median over tasks of each task's mean over runs: (..., R, K) -> (...)."""
    return np.asarray(np.median(scores.mean(axis=-2), axis=-1))


def mean(scores: FloatArray) -> FloatArray:
    """Give the mean over runs and tasks: (..., R, K) -> (...)."""
    return np.asarray(scores.mean(axis=(-2, -1)))


def optimality_gap(scores: FloatArray, target: float = 1.0) -> FloatArray:
    """Give by how much runs and tasks fall short of a target on average: (..., R, K) -> (...)."""
    return np.asarray(target - np.minimum(scores, target).mean(axis=(-2, -1)))


def probability_of_improvement(scores: FloatArray, baseline: FloatArray) -> FloatArray:
    """Give how likely a run is to be better than one of the baseline, averaged over tasks; ties count half.

    Args:
        scores: (..., R, K)
        baseline: (..., S, K), S runs of the baseline on the same tasks.

    Returns:
        (...), 0 to 1.
    """
    ours, theirs = scores[..., :, None, :], baseline[..., None, :, :]
    wins = (ours > theirs) + 0.5 * (ours == theirs)
    return np.asarray(wins.mean(axis=(-3, -2, -1)))


def performance_profile(scores: FloatArray, thresholds: FloatArray) -> FloatArray:
    """Give the share of runs and tasks whose score exceeds each threshold: (..., R, K), (T,) -> (..., T)."""
    return np.asarray((_flat(scores)[..., None, :] > thresholds[:, None]).mean(axis=-1))


def area_under_curve(steps: FloatArray, success: FloatArray) -> FloatArray:
    """Give the mean height of learning curves, linear between evaluations: (E,), (..., E) -> (...)."""
    if len(steps) == 1:
        return np.asarray(success[..., 0])
    return np.asarray(np.trapezoid(success, steps, axis=-1) / (steps[-1] - steps[0]))


def steps_to(steps: FloatArray, success: FloatArray, rate: float) -> FloatArray:
    """Give the environment steps at the first evaluation with at least this success: (E,), (R, E) -> (R,).

    It is NaN for runs that never had it.
    """
    reached = success >= rate - 1e-9  # a mean of rates is rounded
    return np.where(reached.any(axis=-1), steps[reached.argmax(axis=-1)], np.nan)


def with_interval(
    statistic: Statistic, *scores: FloatArray, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Interval:
    """Give a statistic and its stratified bootstrap percentile interval.

    Each task is a stratum: its runs are drawn anew, with replacement, independently of the other tasks'.

    Args:
        statistic: Of as many arrays (N, R, K) as there are scores.
        scores: Each (R, K); R may differ.
        rng: Draws the resamples.
        resamples: N.
    """
    if any(len(matrix) == 0 for matrix in scores):
        return Interval(np.nan, np.nan, np.nan)
    value = float(statistic(*(matrix[None] for matrix in scores))[0])
    if any(len(matrix) < 2 for matrix in scores):
        return Interval(value, np.nan, np.nan)
    drawn = [
        np.take_along_axis(matrix[None], rng.integers(len(matrix), size=(resamples, *matrix.shape)), axis=1)
        for matrix in scores
    ]
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(statistic(*drawn), (tail, 100 - tail))
    return Interval(value, float(low), float(high))


class Band(NamedTuple):
    """Means and their interval, each (E,); the bounds are NaN where one seed, or none, gives no interval."""

    mean: FloatArray
    low: FloatArray
    high: FloatArray


def mean_band(scores: FloatArray, resamples: int = RESAMPLES) -> Band:
    """Give means over runs and tasks with their stratified bootstrap percentile intervals; see `with_interval`.

    The same runs are drawn for all E; the same scores give the same band.

    Args:
        scores: (R, K, E) of E evaluations, say.
        resamples: N.
    """
    runs, tasks, count = scores.shape
    if runs == 0:
        return Band(*np.full((3, count), np.nan))
    mean = scores.mean(axis=(0, 1))
    if runs == 1:
        return Band(mean, *np.full((2, count), np.nan))
    # How often a run was drawn is its weight in the mean, which makes the resamples one product.
    weights = np.random.default_rng(0).multinomial(runs, np.full(runs, 1 / runs), size=(resamples, tasks))
    means = np.swapaxes(weights, 1, 2).reshape(resamples, -1) @ scores.reshape(-1, count) / (runs * tasks)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(means, (tail, 100 - tail), axis=0)
    return Band(mean, low, high)


def profile_band(scores: FloatArray, thresholds: FloatArray) -> Band:
    """Give the performance profile with its interval: (R, K), (T,) -> each (T,)."""
    return mean_band((scores[..., None] > thresholds).astype(float))


def _flat(scores: FloatArray) -> FloatArray:
    return scores.reshape(*scores.shape[:-2], -1)
