"""Success on other tasks, or judged otherwise, is never in one column or ranking."""

import numpy as np
import pytest

from must.analysis import write_figures, write_tables
from must.analysis.rows import method_success_per_task
from must.data import load_results
from must.data.blocks import blocks_of
from tests.support.reading import read, records

PAIRS = [["reach-v3", "door-open-v3"], ["push-v3", "pick-place-v3"]]
RATES = {"reach-v3": 0.7, "door-open-v3": 0.5, "push-v3": 0.9, "pick-place-v3": 0.1}
TASKS = {"env": {"tasks": ["reach-v3", "door-open-v3"]}}


def rates_of_tasks(_spec, config):
    return np.tile([RATES[task] for task in config.env.task_names], (13, 1))


def sweep(**grid):
    return {"seeds": [0, 1], "methods": ["mt_sac", "must"], "pruning_ratios": [0.5], "grid": grid}


def rows_of(text):
    return [[cell.strip(" *") for cell in line.split("|")[1:-1]] for line in text.splitlines() if line[:1] == "|"]


def test_every_task_has_the_success_that_was_its_own(runs):
    experiment, _ = runs.results_of(rates_of_tasks, sweep=sweep(**{"env.tasks": PAIRS}))
    write_tables(experiment, runs.results)
    found = {row[0]: row[1] for row in rows_of(read(runs, experiment, "per_task.md")) if row[0] in RATES}
    assert {task: float(text.split()[0]) for task, text in found.items()} == RATES
    headings = [row for row in rows_of(read(runs, experiment, "success_rate.md")) if row[0] == "Method"]
    assert [row[-2:] for row in headings] == PAIRS
    figure = method_success_per_task(load_results(experiment, runs.results), "auto")
    labels = [
        [label.get_text() for label in axes.get_xticklabels()] for axes in figure.axes if axes.get_xticks().size == 2
    ]
    assert labels == [["reach", "door-open"], ["push", "pick-place"]]


def test_fewer_tasks_are_a_table_of_their_own(runs):
    experiment, results = runs.results_of(rates_of_tasks, sweep=sweep(**{"env.n_tasks": [2, 1]}), **TASKS)
    write_tables(experiment, runs.results)
    assert [block.title for block in blocks_of(results)] == ["number of tasks 2", "number of tasks 1"]
    assert "number of tasks 1" in read(runs, experiment, "per_task.md")
    written = write_figures(experiment, runs.results)
    assert {"method_comparison", "success_by_flops"} < {path.stem for path in written}


@pytest.mark.parametrize(
    ("key", "values", "caption"),
    [
        ("env.reward", ["v1", "v2"], "reward v1 or v2, random goals, horizon 150"),
        ("env.goals", ["fixed", "random"], "reward v2, fixed or random goals, horizon 150"),
        ("env.horizon", [100, 150], "reward v2, random goals, horizon 100 or 150"),
    ],
)
def test_what_is_judged_otherwise_is_ranked_by_itself(runs, key, values, caption):
    experiment, results = runs.results_of(sweep=sweep(**{key: values}), **TASKS)
    write_tables(experiment, runs.results)
    text = read(runs, experiment, "comparison.md")
    ranks = [row[0] for row in rows_of(text)]
    assert ranks.count("Rank") == 2
    assert ranks.count("1") >= 2
    assert f"({caption})" in text
    for block, value in zip(blocks_of(results), values, strict=True):
        assert block.title == f"{key.removeprefix('env.')} {value}"
        assert block.title in text
    column = [row[key.replace(".", "_")] for row in records(runs, experiment, "success_rate.csv")]
    assert column == [str(value) for value in values for _ in "ab"]


def test_horizons_of_training_that_are_judged_alike_are_compared(runs):
    judged = {"final_horizon": 500}
    experiment, results = runs.results_of(sweep=sweep(**{"env.horizon": [100, 150]}), evaluation=judged, **TASKS)
    (block,) = blocks_of(results)
    assert (block.title, len(block.groups)) == ("", 4)
    write_tables(experiment, runs.results)
    assert "horizon 100 |" in read(runs, experiment, "comparison.md")
