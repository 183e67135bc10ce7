"""How often the intervals hold the true value: simulated success rates of tasks that share their seed's luck."""

import numpy as np
import pytest
from scipy import stats

from must.analysis.statistics import (
    MIN_TASKS,
    agreement,
    interquartile_mean,
    intervals,
    mean,
    median,
    optimality_gap,
    probability_of_improvement,
)

DRAWS = 2000
RESOLUTION = 50
"""Episodes that a final success rate is the mean of: ten evaluations of five."""
CONCENTRATION = 6
"""Of the beta distribution of a task's success over seeds; a standard deviation of 0.19 at a mean of one half."""
TASKS = {3: np.array([0.3, 0.6, 0.9]), 10: np.linspace(0.1, 0.95, 10)}
"""Number of tasks -> their mean success: some are hard, some easy."""
CONTROL = 0.9
"""Mean success of the control, as a share of the method's."""
ONE_SAMPLE = (mean, interquartile_mean, median, optimality_gap)
STATISTICS = (*ONE_SAMPLE, probability_of_improvement)


def success(rng, draws, runs, means, correlation):
    """Draw (draws, runs, K) success rates: a Gaussian copula with beta marginals, correlated within a run."""
    shared, own = rng.standard_normal((draws, runs, 1)), rng.standard_normal((draws, runs, len(means)))
    grid = np.linspace(0, 1, 4001)
    ranks = stats.norm.cdf(np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own)
    quantiles = [stats.beta.ppf(grid, CONCENTRATION * each, CONCENTRATION * (1 - each)) for each in means]
    rates = [np.interp(ranks[..., k], grid, values) for k, values in enumerate(quantiles)]
    return np.round(np.stack(rates, axis=-1) * RESOLUTION) / RESOLUTION


def true_value(statistic, means):
    """Compute a statistic of very many seeds; how much tasks share does not matter to it."""
    rng = np.random.default_rng(1)
    many = success(rng, 1, 300_000, means, 0)
    if statistic is not probability_of_improvement:
        return float(statistic(many)[0])
    control = success(rng, 1, 300_000, CONTROL * means, 0)
    shares = []
    for k in range(len(means)):
        ours, theirs = (np.bincount(np.round(each[0, :, k] * RESOLUTION).astype(int)) for each in (many, control))
        ours, theirs = (np.pad(each, (0, RESOLUTION + 1 - len(each))) / each.sum() for each in (ours, theirs))
        shares.append(ours @ (np.cumsum(theirs) - theirs / 2))
    return float(np.mean(shares))


def coverage(statistic, truth, means, runs, correlation):
    """Compute the share of draws whose interval holds the true value."""
    rng = np.random.default_rng(2)
    scores = [success(rng, DRAWS, runs, means, correlation)]
    if statistic is probability_of_improvement:
        scores.append(success(rng, DRAWS, runs, CONTROL * means, correlation))
    _, low, high = intervals(statistic, *scores)
    return np.mean((low - 1e-9 <= truth) & (truth <= high + 1e-9))


@pytest.mark.slow
@pytest.mark.parametrize("tasks", TASKS)
@pytest.mark.parametrize("statistic", STATISTICS)
def test_nineteen_of_twenty_intervals_hold_the_true_value(statistic, tasks):
    truth = true_value(statistic, TASKS[tasks])
    found = {
        (runs, correlation): coverage(statistic, truth, TASKS[tasks], runs, correlation)
        for runs in (5, 10)
        for correlation in (0, 0.3, 0.6)
    }
    assert all(0.90 <= share <= 0.98 for share in found.values()), found


@pytest.mark.parametrize("tasks", [MIN_TASKS, 10])
def test_nineteen_of_twenty_intervals_hold_the_agreement_of_all_seeds(tasks):
    """What a pair of tasks shares is partly the same in all seeds, partly what one seed has found by itself."""
    rng, pairs = np.random.default_rng(3), tasks * (tasks - 1) // 2

    def drawn(common, share, *shape):
        return np.sqrt(share) * common + np.sqrt(1 - share) * rng.standard_normal((*shape, pairs))

    for share in (0, 0.3, 0.6, 0.9):
        held = []
        for _ in range(100):
            common = rng.standard_normal(pairs)
            truth = agreement(drawn(common, share, 3000))
            _, low, high = intervals(agreement, drawn(common, share, 50, 5), bounds=(-1, 1))
            held.append(np.mean((low <= truth) & (truth <= high)))
        assert 0.93 <= np.mean(held) <= (0.98 if share else 1), (share, np.mean(held))
