"""Statistics against numbers worked out by hand."""

import numpy as np
import pytest

from must.analysis.statistics import agreement, best_success, independent_overlap, over_runs, window_means

# Two runs, three evaluations, two tasks.
SUCCESS = np.array(
    [
        [[0.0, 0.2], [0.4, 0.6], [0.8, 0.0]],
        [[0.2, 0.0], [1.0, 1.0], [0.6, 0.4]],
    ]
)


def test_best_success_is_that_of_the_evaluation_with_the_highest_mean_over_tasks():
    np.testing.assert_allclose(best_success(SUCCESS), [[0.4, 0.6], [1.0, 1.0]])
    twice = np.array([[[0.2, 0.8], [0.8, 0.2]]])
    np.testing.assert_allclose(best_success(twice), [[0.2, 0.8]])  # the first of equals


def test_spread_is_the_sample_standard_deviation():
    mean, std = over_runs(np.array([[0.2, 1.0], [0.4, 1.0], [0.9, 1.0]]))
    np.testing.assert_allclose(mean, [0.5, 1.0])
    np.testing.assert_allclose(std, [np.sqrt((0.09 + 0.01 + 0.16) / 2), 0.0])


def test_one_run_has_no_spread():
    mean, std = over_runs(np.array([[0.2, 1.0]]))
    np.testing.assert_allclose(mean, [0.2, 1.0])
    assert np.isnan(std).all()


def test_no_run_has_neither_mean_nor_spread():
    nothing = np.zeros((0, 0, 2))
    assert best_success(nothing).shape == (0, 2)
    mean, std = over_runs(best_success(nothing))
    assert np.isnan(mean).all()
    assert np.isnan(std).all()


def test_windows_are_counted_from_the_end():
    values = np.array([[9.0, 1.0, 3.0, 5.0, 7.0]])
    np.testing.assert_allclose(window_means(values, 2), [[2.0, 6.0]])
    np.testing.assert_allclose(window_means(values, 1), values)


@pytest.mark.parametrize("ratio", [0.0, 0.5, 0.8])
def test_overlap_by_chance_is_that_of_random_masks(ratio):
    rng = np.random.default_rng(0)
    elements = 200_000
    first, second = (rng.permutation(elements) < round((1 - ratio) * elements) for _ in range(2))
    overlap = (first & second).sum() / (first | second).sum()
    assert independent_overlap(ratio) == pytest.approx(overlap, abs=0.005)


def test_agreement_is_the_mean_correlation_of_two_runs():
    runs = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [3.0, 2.0, 1.0]])  # correlations 1, -1 and -1
    np.testing.assert_allclose(agreement(runs), -1 / 3)
    np.testing.assert_allclose(agreement(np.stack([runs, runs[[0, 1, 0]]])), [-1 / 3, 1])


def test_one_run_and_runs_that_are_level_agree_on_nothing():
    assert np.isnan(agreement(np.array([[1.0, 2.0, 3.0]])))
    assert np.isnan(agreement(np.array([[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]])))
