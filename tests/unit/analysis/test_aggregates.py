"""Aggregates against numbers worked out by hand, and against their published definitions on a fixed random matrix."""

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
    with_interval,
)

# Four runs, two tasks.
SCORES = np.array([[0.0, 1.0], [0.2, 0.8], [0.4, 0.6], [1.0, 0.2]])
RANDOM = np.random.default_rng(0).random((5, 7))


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
def test_resamples_are_one_call(statistic):
    several = np.random.default_rng(1).random((3, 5, 7))
    np.testing.assert_allclose(statistic(several), [float(statistic(scores)) for scores in several])


def test_the_interval_is_that_of_the_published_definition():
    """Stratified bootstrap as in arXiv 2108.13264: for each task R runs with replacement, percentiles of the result."""
    found = with_interval(interquartile_mean, RANDOM, rng=np.random.default_rng(0), resamples=4000)
    rng, plain = np.random.default_rng(1), []
    for _ in range(4000):
        resample = np.stack([rng.choice(RANDOM[:, task], size=5) for task in range(7)], axis=1)
        kept = np.sort(resample.ravel())[35 // 4 : 35 - 35 // 4]
        plain.append(kept.mean())
    assert found.value == pytest.approx(np.sort(RANDOM.ravel())[8:27].mean())
    np.testing.assert_allclose([found.low, found.high], np.percentile(plain, [2.5, 97.5]), atol=0.01)
    assert found == with_interval(interquartile_mean, RANDOM, rng=np.random.default_rng(0), resamples=4000)


def test_an_interval_of_two_settings_resamples_both():
    better, worse = RANDOM + 0.2, RANDOM[:3]
    found = with_interval(probability_of_improvement, better, worse, rng=np.random.default_rng(0))
    assert found.value == pytest.approx(float(probability_of_improvement(better, worse)))
    assert 0 < found.low < found.value < found.high < 1


def test_one_seed_gives_no_interval_and_none_no_value():
    value, low, high = with_interval(mean, RANDOM[:1], rng=np.random.default_rng(0))
    assert value == pytest.approx(RANDOM[0].mean())
    assert np.isnan([low, high]).all()
    assert np.isnan(with_interval(mean, RANDOM[:0], rng=np.random.default_rng(0))).all()
