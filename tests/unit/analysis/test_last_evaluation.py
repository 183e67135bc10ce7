"""A last evaluation of other episodes is the final success, and no point of the curve before it."""

import numpy as np
import pytest

from must.analysis import write_tables
from must.analysis.curves import learning_curves
from must.analysis.measures import area
from must.data.tidy import runs_frame
from tests.support.reading import read, records

JUDGED = {"episodes": 10, "final_episodes": 50, "final_horizon": 500}
ENV = {"tasks": ["reach-v3", "door-open-v3"], "horizon": 150}


def half_until_the_end(_spec, _config):
    rates = np.full((13, 2), 0.5)
    rates[-1] = 0.9
    return rates


@pytest.mark.parametrize(("evaluation", "best"), [(JUDGED, 0.5), ({"episodes": 10}, 0.9)])
def test_best_success_area_and_steps_are_those_of_the_curve(runs, evaluation, best):
    experiment, results = runs.results_of(half_until_the_end, evaluation=evaluation, env=ENV)
    write_tables(experiment, runs.results)
    apart = best == 0.5
    for row in records(runs, experiment, "success_rate.csv"):
        assert (float(row["final_mean"]), float(row["best_mean"])) == (0.9, best)
    for row in records(runs, experiment, "aggregates.csv"):
        assert (float(row["area_under_curve"]) == 0.5) == apart
        assert int(row["runs_that_reached_it"]) == (0 if apart else 2)
    frame = runs_frame(results)
    assert set(frame["final_success"].astype(float)) == {0.9}
    assert set(frame["best_success"].astype(float)) == {best}
    np.testing.assert_allclose(frame["area_under_curve"].astype(float), float(area(results.groups[0]).mean()))
    figure = learning_curves(results, "auto")
    (line, *_) = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 2]
    assert max(line.get_ydata()) == pytest.approx(best)
    notes = " ".join(text.get_text() for text in figure.findobj(lambda each: hasattr(each, "get_text")))
    assert ("without the last evaluation, which has other episodes" in " ".join(notes.split())) == apart
    for table in ("success_rate.md", "per_task.md", "aggregates.md"):
        assert ("before the last, which has other episodes" in read(runs, experiment, table)) == apart


def test_it_is_named_under_the_tables(runs):
    experiment, _ = runs.results_of(evaluation=JUDGED, env=ENV)
    write_tables(experiment, runs.results)
    text = read(runs, experiment, "success_rate.md")
    assert "10 evaluation episodes per task, in the last evaluation 50 of 500 steps" in text
    assert {row["evaluation_episodes"] for row in records(runs, experiment, "success_rate.csv")} == {"50"}


def test_of_a_fixed_goal_there_is_one_episode(runs):
    experiment, _ = runs.results_of(evaluation={"episodes": 10}, env=ENV | {"goals": "fixed"})
    write_tables(experiment, runs.results)
    assert "1 evaluation episode per task" in read(runs, experiment, "success_rate.md")
    assert {row["evaluation_episodes"] for row in records(runs, experiment, "success_rate.csv")} == {"1"}
