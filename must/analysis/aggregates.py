"""Aggregates over tasks and seeds with intervals, for few seeds (arXiv 2108.13264): pure functions on arrays.

Axes: R runs (seeds), K tasks, E evaluations. Scores are success rates, 0 to 1, and so are all aggregates. What takes
scores (..., R, K) returns one value for each leading index, so that leaving out each seed in turn is one call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FloatArray = NDArray[np.float64]

Statistic = Callable[..., FloatArray]
"""Returns a value, 0 to 1, for each leading index of scores (..., R, K), of one or of two settings."""

CONFIDENCE = 0.95
MIN_SEEDS = 5
"""Fewest seeds of a setting that an interval is computed from; with fewer it is as good as arbitrary."""


class Interval(NamedTuple):
    """An aggregate and its interval; the bounds are NaN below `MIN_SEEDS` seeds."""

    value: float
    low: float
    high: float


def interquartile_mean(scores: FloatArray) -> FloatArray:
    """Compute the mean of the middle half of all runs and tasks: (..., R, K) -> (...)."""
    return np.asarray(stats.trim_mean(_flat(scores), 0.25, axis=-1))


def median(scores: FloatArray) -> FloatArray:
    """Compute the median over tasks of each task's mean over runs: (..., R, K) -> (...)."""
    return np.asarray(np.median(scores.mean(axis=-2), axis=-1))


def mean(scores: FloatArray) -> FloatArray:
    """Compute the mean over runs and tasks: (..., R, K) -> (...)."""
    return np.asarray(scores.mean(axis=(-2, -1)))


def optimality_gap(scores: FloatArray, target: float = 1.0) -> FloatArray:
    """Compute by how much runs and tasks fall short of a target on average: (..., R, K) -> (...)."""
    return np.asarray(target - np.minimum(scores, target).mean(axis=(-2, -1)))


def probability_of_improvement(scores: FloatArray, baseline: FloatArray) -> FloatArray:
    """Compute how likely a run is to be better than one of the baseline, averaged over tasks; ties count half.

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
    """Compute the share of runs and tasks whose score exceeds each threshold: (..., R, K), (T,) -> (..., T)."""
    return np.asarray((_flat(scores)[..., None, :] > thresholds[:, None]).mean(axis=-1))


def area_under_curve(steps: FloatArray, success: FloatArray) -> FloatArray:
    """Compute the mean height of learning curves, linear between evaluations: (E,), (..., E) -> (...)."""
    if len(steps) == 1:
        return np.asarray(success[..., 0])
    return np.asarray(np.trapezoid(success, steps, axis=-1) / (steps[-1] - steps[0]))


def steps_to(steps: FloatArray, success: FloatArray, rate: float) -> FloatArray:
    """Compute the environment steps at the first evaluation with at least this success: (E,), (R, E) -> (R,).

    It is NaN for runs that never had it.
    """
    reached = success >= rate - 1e-9  # a mean of rates is rounded
    return np.where(reached.any(axis=-1), steps[reached.argmax(axis=-1)], np.nan)


def intervals(statistic: Statistic, *scores: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Compute a statistic and its confidence interval over seeds.

    The tasks of a run share a network, and so do their errors: the unit is a whole seed. The standard error is that of
    the jackknife, which leaves out one seed at a time; the interval is Student's t with R - 1 degrees of freedom. For
    the mean this is the t interval of the R runs' means. The seeds of two settings are left out one by one in either;
    the variances add up, and the degrees of freedom are those of Welch and Satterthwaite.

    Args:
        statistic: Takes as many arrays as there are scores.
        scores: Each (..., R, K); R may differ.

    Returns:
        The value, NaN without a run, and the bounds, clipped to 0 and 1 and NaN below `MIN_SEEDS` seeds: each (...).
    """
    seeds = [matrix.shape[-2] for matrix in scores]
    nothing = np.full(scores[0].shape[:-2], np.nan)
    if min(seeds) == 0:
        return nothing, nothing, nothing
    value = statistic(*scores)
    if min(seeds) < MIN_SEEDS:
        return value, nothing, nothing
    variances = np.stack([_jackknife_variance(statistic, scores, which) for which in range(len(scores))])
    variance = variances.sum(axis=0)
    share = np.divide(variances, variance, out=np.ones_like(variances), where=variance > 0)
    freedom = 1 / sum(part**2 / (count - 1) for part, count in zip(share, seeds, strict=True))
    half = stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(variance)
    return value, np.clip(value - half, 0, 1), np.clip(value + half, 0, 1)


def with_interval(statistic: Statistic, *scores: FloatArray) -> Interval:
    """Compute a statistic of scores, each (R, K), and its confidence interval; see `intervals`."""
    return Interval(*(float(each) for each in intervals(statistic, *scores)))


class Band(NamedTuple):
    """Means and their intervals, each (E,); the bounds are NaN below `MIN_SEEDS` seeds."""

    mean: FloatArray
    low: FloatArray
    high: FloatArray


def mean_band(scores: FloatArray) -> Band:
    """Compute means over runs and tasks with their intervals; see `intervals`.

    Args:
        scores: (R, K, E) of E evaluations, say.
    """
    return Band(*intervals(mean, np.moveaxis(scores, -1, 0)))


def profile_band(scores: FloatArray, thresholds: FloatArray) -> Band:
    """Compute the performance profile with its intervals: (R, K), (T,) -> each (T,)."""
    return mean_band((scores[..., None] > thresholds).astype(float))


def _jackknife_variance(statistic: Statistic, scores: tuple[FloatArray, ...], which: int) -> FloatArray:
    """Compute the variance of a statistic that comes from the seeds of one of its scores: (...)."""
    count = scores[which].shape[-2]
    others = np.array([[kept for kept in range(count) if kept != left_out] for left_out in range(count)])
    arguments = [matrix[..., None, :, :] for matrix in scores]
    arguments[which] = scores[which][..., others, :]
    return np.asarray(statistic(*arguments).var(axis=-1) * (count - 1))


def _flat(scores: FloatArray) -> FloatArray:
    return scores.reshape(*scores.shape[:-2], -1)
