"""Intervals against the textbook, against explicit loops, and in what is printed of them."""

import math

import numpy as np
import pytest
from scipy import stats

from must.analysis.statistics import (
    MIN_SEEDS,
    interquartile_mean,
    interval_of_runs,
    intervals,
    mean,
    median,
    optimality_gap,
    probability_of_improvement,
    with_interval,
)
from must.data.runs import load_results
from tests.support.drawing import draw
from tests.support.reading import lines_with, read, records

RNG = np.random.default_rng(0)
RANDOM = RNG.uniform(0.3, 0.8, (5, 7))
CONTROL = RNG.uniform(0.2, 0.7, (6, 7))
FIVE = {"seeds": list(range(5)), "pruning_ratios": [0, 0.5], "update_intervals": [10]}


def left_out_one_by_one(statistic, scores):
    """Compute the jackknife variance in a plain loop."""
    count = len(scores)
    values = [float(statistic(np.delete(scores, seed, axis=0))) for seed in range(count)]
    return (count - 1) / count * sum((value - np.mean(values)) ** 2 for value in values)


def test_the_interval_of_a_mean_is_students():
    runs = np.array([0.5, 0.6, 0.7, 0.4, 0.8])
    low, high = stats.t.interval(0.95, 4, loc=0.6, scale=runs.std(ddof=1) / math.sqrt(5))
    np.testing.assert_allclose(with_interval(mean, runs[:, None]), [0.6, low, high])
    np.testing.assert_allclose([low, high], [0.6 - 2.7764451 * 0.0707107, 0.6 + 2.7764451 * 0.0707107], atol=1e-6)


def test_seeds_are_the_unit_however_alike_their_tasks_are():
    one = with_interval(mean, RANDOM[:, :1])
    np.testing.assert_allclose(with_interval(mean, np.repeat(RANDOM[:, :1], 10, axis=1)), one)
    means = with_interval(mean, RANDOM.mean(axis=1, keepdims=True))
    np.testing.assert_allclose(with_interval(mean, RANDOM), means)


@pytest.mark.parametrize("statistic", [interquartile_mean, median, mean, optimality_gap])
def test_one_seed_is_left_out_at_a_time(statistic):
    value = float(statistic(RANDOM))
    half = stats.t.ppf(0.975, 4) * math.sqrt(left_out_one_by_one(statistic, RANDOM))
    found = with_interval(statistic, RANDOM)
    np.testing.assert_allclose(found, [value, value - half, value + half])
    assert found == with_interval(statistic, RANDOM)


def test_of_two_settings_one_seed_of_either_is_left_out():
    ours = left_out_one_by_one(lambda scores: probability_of_improvement(scores, CONTROL), RANDOM)
    theirs = left_out_one_by_one(lambda scores: probability_of_improvement(RANDOM, scores), CONTROL)
    freedom = (ours + theirs) ** 2 / (ours**2 / 4 + theirs**2 / 5)
    half = stats.t.ppf(0.975, freedom) * math.sqrt(ours + theirs)
    value = float(probability_of_improvement(RANDOM, CONTROL))
    expected = [value, max(value - half, 0), min(value + half, 1)]
    np.testing.assert_allclose(with_interval(probability_of_improvement, RANDOM, CONTROL), expected)


def test_bounds_stay_within_the_range_of_success_rates():
    assert with_interval(mean, np.array([[0.0], [0.0], [0.0], [0.0], [0.9]])).low == 0
    assert with_interval(mean, np.array([[1.0], [1.0], [1.0], [1.0], [0.1]])).high == 1


def test_equal_seeds_give_an_interval_of_width_zero():
    assert with_interval(interquartile_mean, np.ones((5, 3))) == (1, 1, 1)
    assert with_interval(probability_of_improvement, np.ones((5, 3)), np.zeros((6, 3))) == (1, 1, 1)


def test_few_seeds_give_no_interval_and_none_no_value():
    value, low, high = with_interval(mean, RANDOM[: MIN_SEEDS - 1])
    assert value == pytest.approx(RANDOM[: MIN_SEEDS - 1].mean())
    assert np.isnan([low, high]).all()
    assert np.isnan(with_interval(mean, RANDOM[:0])).all()
    value, low, high = with_interval(probability_of_improvement, RANDOM, CONTROL[:4])
    assert 0 < value < 1
    assert np.isnan([low, high]).all()


def test_the_interval_of_runs_is_that_of_their_mean():
    np.testing.assert_allclose(interval_of_runs(RANDOM.mean(axis=1)), with_interval(mean, RANDOM)[1:])
    assert np.isnan(interval_of_runs(RANDOM[:4, 0])).all()
    several = np.moveaxis(RNG.uniform(0, 1, (5, 3, 4)), -1, 0)
    found = np.transpose(intervals(mean, several))
    np.testing.assert_allclose(found, [with_interval(mean, scores) for scores in several])


def test_five_seeds_have_intervals_in_tables_and_figures(runs):
    experiment = runs.experiment(sweep=FIVE)
    runs.write_all(experiment, lambda _, run: np.full((2, 2), 0.5 + 0.05 * run.training.seed))
    row = records(runs, experiment)[0]
    low, high = stats.t.interval(0.95, 4, loc=0.6, scale=0.05 * math.sqrt(2.5) / math.sqrt(5))
    numbers = [float(row[f"final_mean{end}"]) for end in ("", "_low", "_high")]
    np.testing.assert_allclose(numbers, [0.6, low, high], atol=1e-6)
    text = read(runs, experiment, "success_rate.md")
    assert f"0.60 ± 0.08 [{low:.2f}, {high:.2f}]" in text
    assert "[ ] is the 95 % interval over seeds (jackknife, Student's t)" in text
    assert "no interval" not in text
    area = records(runs, experiment, "aggregates.csv")[1]
    assert float(area["area_under_curve_low"]) == pytest.approx(low, abs=1e-6)
    assert 0 <= float(area["area_probability_of_improvement_over_dense_low"]) < 0.5
    figure = draw(runs, experiment, "learning_curves")["learning_curves"]
    assert "(mean and 95 % interval, 5 seeds)" in figure.legends[0].get_title().get_text()
    band = figure.axes[0].collections[0].get_paths()[0].vertices
    np.testing.assert_allclose([band[:, 1].min(), band[:, 1].max()], [low, high], atol=1e-6)


def test_below_five_seeds_runs_are_drawn_and_nothing_has_an_interval(runs):
    experiment = runs.experiment(sweep=FIVE | {"seeds": [0, 1, 2]})
    runs.write_all(experiment)
    for table in ("success_rate", "aggregates"):
        text = read(runs, experiment, f"{table}.md")
        assert "no interval below 5 seeds: so few do not say how much seeds differ" in text
        assert "[" not in text
        for row in records(runs, experiment, f"{table}.csv"):
            assert {value for key, value in row.items() if key.endswith(("_low", "_high"))} == {""}
    figures = draw(runs, experiment, "learning_curves", "success_by_pruning_ratio")
    title = figures["learning_curves"].legends[0].get_title().get_text()
    assert "(mean and each run, 3 seeds: no interval below 5)" in title
    group = load_results(experiment, runs.results).groups[0]
    thin = [line.get_ydata() for line in figures["learning_curves"].axes[0].lines if line.get_linewidth() < 0.5]
    np.testing.assert_allclose(thin[:3], group.success.mean(axis=2))
    points = figures["success_by_pruning_ratio"].axes[0].collections
    dots = [xy for each in points for xy in each.get_offsets() if len(each.get_offsets()) > 1]
    assert len(dots) == 3 * 3  # of the control on either line and by itself
    assert lines_with(read(runs, experiment, "success_rate.tex"), "no interval below 5 seeds")
