"""The statistics are those of rliable, the library of the paper that proposes them (arXiv 2108.13264)."""

import importlib.util

import numpy as np
import pytest

from must.analysis.statistics import interquartile_mean, mean, median, optimality_gap, probability_of_improvement

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def metrics():
    if importlib.util.find_spec("rliable") is None:
        pytest.fail("rliable is missing: .venv/bin/python -m pip install --no-deps rliable")
    return importlib.import_module("rliable.metrics")


def scores(seed, runs, tasks):
    """Draw success rates with ties and both ends among them, as few episodes give."""
    rng = np.random.default_rng(seed)
    return rng.binomial(5, rng.beta(1, 1, (runs, tasks))) / 5


@pytest.mark.parametrize("runs", [1, 2, 3, 5, 10])
@pytest.mark.parametrize("tasks", [1, 3, 10, 50])
def test_every_aggregate_is_that_of_rliable(metrics, runs, tasks):
    ours, theirs = scores(runs, runs, tasks), scores(runs + 1, runs + 2, tasks)
    assert mean(ours) == pytest.approx(metrics.aggregate_mean(ours))
    assert median(ours) == pytest.approx(metrics.aggregate_median(ours))
    assert interquartile_mean(ours) == pytest.approx(metrics.aggregate_iqm(ours))
    assert optimality_gap(ours) == pytest.approx(metrics.aggregate_optimality_gap(ours))
    expected = metrics.probability_of_improvement(ours, theirs)
    assert probability_of_improvement(ours, theirs) == pytest.approx(expected)
