"""Aggregates against numbers worked out by hand, and against SciPy, by the published definitions (arXiv 2108.13264)."""

import numpy as np
import pytest
from scipy import stats

from must.analysis.statistics import (
    area_under_curve,
    interquartile_mean,
    mean,
    median,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
    steps_to,
)

# Four runs, two tasks.
SCORES = np.array([[0.0, 1.0], [0.2, 0.8], [0.4, 0.6], [1.0, 0.2]])


def test_by_hand():
    # sorted: 0 .2 .2 .4 .6 .8 1 1; the middle half is .2 .4 .6 .8
    assert interquartile_mean(SCORES) == pytest.approx(0.5)
    assert mean(SCORES) == pytest.approx(4.2 / 8)
    assert median(SCORES) == pytest.approx((0.4 + 0.65) / 2)
    assert optimality_gap(SCORES) == pytest.approx(1 - 4.2 / 8)
    assert optimality_gap(SCORES, 0.5) == pytest.approx(0.5 - (0.0 + 0.2 + 0.4 + 0.5 + 0.5 + 0.5 + 0.5 + 0.2) / 8)
    profile = performance_profile(SCORES, np.array([0.0, 0.2, 0.5, 1.0]))
    np.testing.assert_allclose(profile, [7 / 8, 5 / 8, 4 / 8, 0])


def test_the_probability_of_improvement_counts_pairs_and_half_of_ties():
    ours, theirs = np.array([[0.5, 1.0], [0.7, 1.0]]), np.array([[0.5, 1.0], [0.6, 0.0], [0.1, 1.0]])
    # first task: .5 beats .1 and ties .5, .7 beats all: 4.5 of 6; second: each wins one and ties two: 4 of 6
    assert probability_of_improvement(ours, theirs) == pytest.approx((4.5 / 6 + 4 / 6) / 2)
    assert probability_of_improvement(theirs, ours) == pytest.approx(1 - (4.5 / 6 + 4 / 6) / 2)


def test_learning_curves():
    steps = np.array([0, 10, 30])
    success = np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 0.5]])
    np.testing.assert_allclose(area_under_curve(steps, success), [(5 + 20) / 30, 5 / 30])
    np.testing.assert_allclose(area_under_curve(steps[:1], success[:, :1]), [0, 0])
    np.testing.assert_allclose(steps_to(steps, success, 0.5), [10, 30])
    np.testing.assert_allclose(steps_to(steps, success, 0.9), [10, np.nan])


@pytest.mark.parametrize("statistic", [interquartile_mean, median, mean, optimality_gap])
def test_several_matrices_are_one_call(statistic):
    several = np.random.default_rng(1).random((3, 5, 7))
    np.testing.assert_allclose(statistic(several), [float(statistic(scores)) for scores in several])


@pytest.mark.parametrize("runs", [3, 4, 5, 10])
@pytest.mark.parametrize("tasks", [1, 3, 10])
def test_aggregates_are_those_of_the_definitions(runs, tasks):
    rng = np.random.default_rng(runs * tasks)
    ours, theirs = (np.round(rng.random((count, tasks)), 1) for count in (runs, runs + 2))
    np.testing.assert_allclose(mean(ours), np.mean([ours[:, task].mean() for task in range(tasks)]))
    np.testing.assert_allclose(median(ours), np.median([ours[:, task].mean() for task in range(tasks)]))
    np.testing.assert_allclose(interquartile_mean(ours), stats.trim_mean(ours, 0.25, axis=None))
    for target in (1, 0.5):
        np.testing.assert_allclose(optimality_gap(ours, target), target - np.minimum(ours, target).mean())
    pairs = runs * (runs + 2)  # Mann and Whitney's U counts wins, and ties by half
    wins = [stats.mannwhitneyu(ours[:, task], theirs[:, task]).statistic / pairs for task in range(tasks)]
    np.testing.assert_allclose(probability_of_improvement(ours, theirs), np.mean(wins))
    thresholds = np.linspace(0, 1, 11)
    np.testing.assert_allclose(performance_profile(ours, thresholds), [np.mean(ours > each) for each in thresholds])
