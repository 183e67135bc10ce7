"""Success rates over seeds, tasks and evaluations, with intervals for few seeds (arXiv 2108.13264): pure functions.

Axes: R runs (seeds) of one setting, K tasks, E evaluations. NaN stands for what does not exist, such as the spread of a
single seed. What takes scores (..., R, K), success rates from 0 to 1, returns one value for each leading index, so that
leaving out each seed in turn is one call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FloatArray = NDArray[np.float64]

Statistic = Callable[..., FloatArray]
"""Returns a value for each leading index of scores (..., R, K), of one or of two settings."""

CONFIDENCE = 0.95
MIN_SEEDS = 5
"""Fewest seeds of a setting that an interval is computed from; with fewer it is as good as arbitrary."""

MIN_TASKS = 5
"""Fewest tasks whose pairs tell how well runs agree: ten pairs; with three of them the interval is too narrow."""


class Spread(NamedTuple):
    """Mean and sample standard deviation over the R runs, each of the shape of one run's value."""

    mean: FloatArray
    std: FloatArray


class Interval(NamedTuple):
    """A statistic and its interval; the bounds are NaN below `MIN_SEEDS` seeds."""

    value: float
    low: float
    high: float


NOTHING = Interval(np.nan, np.nan, np.nan)


def best_success(success: FloatArray) -> FloatArray:
    """Return the success at the evaluation with a run's highest mean over tasks, the first of equals.

    It is an optimistic figure (the maximum of a noisy series), so it is never mixed with the final success.
    (R, E, K) -> (R, K).
    """
    runs, _, tasks = success.shape
    if runs == 0:
        return np.zeros((0, tasks))
    return np.asarray(success[np.arange(runs), success.mean(axis=2).argmax(axis=1)])


def over_runs(values: FloatArray) -> Spread:
    """Return mean and sample standard deviation (n - 1) over the runs: (R, ...) -> twice (...)."""
    runs, nothing = values.shape[0], np.full(values.shape[1:], np.nan)
    return Spread(values.mean(axis=0) if runs else nothing, values.std(axis=0, ddof=1) if runs > 1 else nothing)


def window_means(values: FloatArray, window: int) -> FloatArray:
    """Average windows of several values in a row, counted from the end: (..., E) -> (..., E // window)."""
    count = values.shape[-1] // window
    kept = values[..., values.shape[-1] - count * window :]
    return np.asarray(kept.reshape(*values.shape[:-1], count, window).mean(axis=-1))


def independent_overlap(pruning_ratio: float) -> float:
    """Return the overlap |A and B| / |A or B| that two random masks of the same density have on average.

    With density d = 1 - pruning ratio, the masks share d * d of the elements and cover 2 d - d * d of them.
    """
    density = 1.0 - pruning_ratio
    return density / (2.0 - density)


def mean(scores: FloatArray) -> FloatArray:
    """Compute the mean over runs and tasks: (..., R, K) -> (...)."""
    return np.asarray(scores.mean(axis=(-2, -1)))


def interquartile_mean(scores: FloatArray) -> FloatArray:
    """Compute the mean of the middle half of all runs and tasks: (..., R, K) -> (...)."""
    return np.asarray(stats.trim_mean(_flat(scores), 0.25, axis=-1))


def median(scores: FloatArray) -> FloatArray:
    """Compute the median over tasks of each task's mean over runs: (..., R, K) -> (...)."""
    return np.asarray(np.median(scores.mean(axis=-2), axis=-1))


def optimality_gap(scores: FloatArray, target: float = 1.0) -> FloatArray:
    """Compute by how much runs and tasks fall short of a target on average: (..., R, K) -> (...)."""
    return np.asarray(target - np.minimum(scores, target).mean(axis=(-2, -1)))


def probability_of_improvement(scores: FloatArray, baseline: FloatArray) -> FloatArray:
    """Compute how likely a run is better than one of S runs of a baseline, averaged over tasks; ties count half.

    (..., R, K), (..., S, K) -> (...), 0 to 1.
    """
    ours, theirs = scores[..., :, None, :], baseline[..., None, :, :]
    wins = (ours > theirs) + 0.5 * (ours == theirs)
    return np.asarray(wins.mean(axis=(-3, -2, -1)))


def agreement(values: FloatArray) -> FloatArray:
    """Compute how alike runs rank the same P things: (..., R, P) -> (...), -1 to 1.

    It is the mean correlation (Pearson's) of two runs, over all pairs of runs; NaN for a single run, and where a run
    has the same value for all P.
    """
    runs = values.shape[-2]
    centred = values - values.mean(axis=-1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=-1, keepdims=True))
    if runs < 2 or (length < 1e-12).any():
        return np.full(values.shape[:-2], np.nan)
    # The sum of all correlations is the squared length of the sum of the runs; those of runs with themselves are 1.
    return np.asarray((((centred / length).sum(axis=-2) ** 2).sum(axis=-1) - runs) / (runs * (runs - 1)))


def performance_profile(scores: FloatArray, thresholds: FloatArray) -> FloatArray:
    """Compute the share of runs and tasks whose score exceeds each threshold: (..., R, K), (T,) -> (..., T)."""
    return np.asarray((_flat(scores)[..., None, :] > thresholds[:, None]).mean(axis=-1))


def area_under_curve(steps: FloatArray, success: FloatArray) -> FloatArray:
    """Compute the mean height of learning curves, linear between evaluations: (E,), (..., E) -> (...)."""
    if len(steps) == 1:
        return np.asarray(success[..., 0])
    return np.asarray(np.trapezoid(success, steps, axis=-1) / (steps[-1] - steps[0]))


def steps_to(steps: FloatArray, success: FloatArray, rate: float) -> FloatArray:
    """Compute the steps at the first evaluation with at least this success, NaN for never: (E,), (R, E) -> (R,)."""
    reached = success >= rate - 1e-9  # a mean of rates is rounded
    return np.where(reached.any(axis=-1), steps[reached.argmax(axis=-1)], np.nan)


def intervals(
    statistic: Statistic, *scores: FloatArray, bounds: tuple[float, float] = (0, 1)
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Compute a statistic and its confidence interval over seeds.

    The tasks of a run share a network, and so do their errors: the unit is a whole seed. The standard error is that of
    the jackknife, which leaves out one seed at a time; the interval is Student's t with R - 1 degrees of freedom. For
    the mean this is the t interval of the R runs' means. The seeds of two settings are left out one by one in either;
    the variances add up, and the degrees of freedom are those of Welch and Satterthwaite.

    Args:
        statistic: Takes as many arrays as there are scores.
        scores: Each (..., R, K); R may differ.
        bounds: The least and the highest value that there can be.

    Returns:
        The value, NaN without a run, and the ends, clipped to the bounds and NaN below `MIN_SEEDS` seeds: each (...).
    """
    seeds = [matrix.shape[-2] for matrix in scores]
    nothing = np.full(scores[0].shape[:-2], np.nan)
    if min(seeds) == 0:
        return nothing, nothing, nothing
    value = statistic(*scores)
    if min(seeds) < MIN_SEEDS:
        return value, nothing, nothing
    variances = np.stack([_jackknife_variance(statistic, scores, which) for which in range(len(scores))])
    half = _half_width(variances, np.array(seeds))
    return value, np.clip(value - half, *bounds), np.clip(value + half, *bounds)


def _half_width(variances: FloatArray, seeds: FloatArray) -> FloatArray:
    """Compute half of the width of intervals from variances (S, ...) of independent parts, and their seeds (S,)."""
    variance = variances.sum(axis=0)
    share = np.divide(variances, variance, out=np.ones_like(variances), where=variance > 0)
    freedom = 1 / sum(part**2 / (count - 1) for part, count in zip(share, seeds, strict=True))
    return np.asarray(stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(variance))


@lru_cache(maxsize=4096)  # a table's text, its LaTeX, its records and the figures ask for the same
def _cached(statistic: Statistic, bounds: tuple[float, float], *scores: tuple[tuple[int, ...], bytes]) -> Interval:
    arrays = (np.frombuffer(data).reshape(shape) for shape, data in scores)
    return Interval(*map(float, intervals(statistic, *arrays, bounds=bounds)))


def with_interval(statistic: Statistic, *scores: FloatArray, bounds: tuple[float, float] = (0, 1)) -> Interval:
    """Compute a statistic of scores, each (R, K), and its confidence interval; see `intervals`."""
    return _cached(statistic, bounds, *((matrix.shape, matrix.astype(float).tobytes()) for matrix in scores))


def interval_of_runs(values: FloatArray) -> tuple[float, float]:
    """Compute the interval of the mean of runs (R,), its ends only, as seaborn's ``errorbar`` takes it."""
    values = np.asarray(values, float)
    if len(values) < MIN_SEEDS:
        return np.nan, np.nan
    half = _quantile(len(values) - 1) * float(values.std(ddof=1)) / np.sqrt(len(values))
    return max(0.0, float(values.mean()) - half), min(1.0, float(values.mean()) + half)


@lru_cache
def _quantile(freedom: float) -> float:
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom))


def difference(scores: FloatArray, baseline: FloatArray) -> FloatArray:
    """Compute how much higher the mean over runs and tasks is than that of a baseline: (..., R, K), (..., S, K)."""
    return mean(scores) - mean(baseline)


def seeds_to_settle(scores: FloatArray, baseline: FloatArray, effect: float, power: float, most: int = 200) -> int:
    """Find how many seeds of either setting show a difference of a given size, by simulation from the runs that exist.

    New experiments are drawn from the runs' means, as they scatter about their own setting's mean, with the difference
    between the settings set to ``effect``. It is shown where the interval of `intervals` leaves out zero.

    Args:
        scores: (R, K), two runs at least, as of the baseline.
        baseline: (S, K)
        effect: The difference of the means, above 0.
        power: Share of the experiments that are to show it, between 0 and 1.
        most: Most seeds that are tried.

    Returns:
        Seeds of each setting, `MIN_SEEDS` to ``most``; ``most`` + 1 where these are too few.
    """
    # Few runs scatter less than many: sqrt(n / (n - 1)) makes their variance that of the sample.
    centred = [
        (runs - runs.mean()) * np.sqrt(len(runs) / (len(runs) - 1)) for runs in (scores.mean(1), baseline.mean(1))
    ]

    def shows(seeds: int) -> bool:
        rng = np.random.default_rng(seeds)
        ours, theirs = (rng.choice(runs, (2000, seeds)) for runs in centred)
        variances = np.stack([ours.var(axis=1, ddof=1), theirs.var(axis=1, ddof=1)]) / seeds
        shift = effect + ours.mean(axis=1) - theirs.mean(axis=1)
        return bool((shift > _half_width(variances, np.array([seeds, seeds]))).mean() >= power)

    low, high = MIN_SEEDS - 1, most + 1
    while high - low > 1:  # more seeds show more
        middle = (low + high) // 2
        low, high = (low, middle) if shows(middle) else (middle, high)
    return high


def _jackknife_variance(statistic: Statistic, scores: tuple[FloatArray, ...], which: int) -> FloatArray:
    """Compute the variance of a statistic that comes from the seeds of one of its scores: (...)."""
    count = scores[which].shape[-2]
    others = np.array([[kept for kept in range(count) if kept != left_out] for left_out in range(count)])
    arguments = [matrix[..., None, :, :] for matrix in scores]
    arguments[which] = scores[which][..., others, :]
    return np.asarray(statistic(*arguments).var(axis=-1) * (count - 1))


def _flat(scores: FloatArray) -> FloatArray:
    return scores.reshape(*scores.shape[:-2], -1)
