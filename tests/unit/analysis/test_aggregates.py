"""Aggregates against numbers worked out by hand."""

import numpy as np
import pytest

from must.analysis.aggregates import (
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
