"""Sweeps over methods: who the control is, how settings are named and ranked, and what is then drawn."""

import itertools

import numpy as np
import pytest

from must.analysis import load_results, write_figures, write_tables
from must.analysis.measures import improvement, ranked
from must.analysis.panels import method_panels
from must.analysis.style import PAGE, SMALL, TWO_COLUMNS
from must.config.methods import METHODS
from must.config.outputs import FIGURES, OPTIONAL_FIGURES, TABLES, TABLES_OF_MASKS, figure_names, table_names
from must.data.names import names_of
from must.data.variants import variants
from tests.support.drawing import curves_of, draw, overlap, texts_of
from tests.support.reading import lines_with, read, records
from tests.support.sweeps import EVERY_METHOD, MANY, METHOD_SWEEPS

LARGE = ("every method on ten tasks", "many on fifty tasks", "benchmarks")
THREE = {"methods": ["pcgrad", "mt_sac", "static_sparse"], "seeds": [0, 1], "pruning_ratios": [0.5]}
RATES = {  # (method, seed) -> (K,) at the end
    ("pcgrad", 0): [0.2, 0.4],
    ("pcgrad", 1): [0.4, 0.0],
    ("mt_sac", 0): [0.4, 0.2],
    ("mt_sac", 1): [0.6, 0.4],
    ("static_sparse", 0): [1.0, 0.4],
    ("static_sparse", 1): [0.6, 0.2],
}

STATIC_RATES = {"must": 0.8, "static_sparse": 0.6, "mt_sac": 0.7}


def by_hand(spec, config):
    return [[0.0, 0.0], RATES[config.method, config.training.seed]]


def results_of(runs, success=by_hand, **sections):
    return runs.results_of(success, **sections)


def test_equals_share_a_rank_and_stand_in_the_order_of_their_interquartile_means(runs):
    rates = {
        "pcgrad": [[0.5, 0.5], [0.5, 0.5]],
        "mt_sac": [[0.0, 0.6], [0.6, 0.8]],  # the same mean, and .6 in the middle
        "static_sparse": [[0.4, 0.4], [0.4, 1.0]],
    }
    _, results = results_of(runs, lambda _, run: [[0, 0], rates[run.method][run.training.seed]], sweep=THREE)
    rows = ranked(results, results.groups)
    assert [(row.rank, row.rank_by_iqm, row.name) for row in rows] == [
        (1, 3, "Static sparse"),
        (2, 1, "MT-SAC"),
        (2, 2, "PCGrad"),
    ]


def test_the_interquartile_mean_may_not_see_what_the_mean_does(runs):
    """Of six values it leaves out the worst, and a method that fails once ranks above one that is better on average."""
    rates = {"pcgrad": [[1, 1, 0.34], [1, 1, 1]], "mt_sac": [[1, 1, 0.75], [1, 1, 0.75]]}
    tasks = ["reach-v3", "door-open-v3", "drawer-close-v3"]
    _, results = results_of(
        runs,
        lambda _, run: [[0, 0, 0], rates[run.method][run.training.seed]],
        sweep={"methods": ["pcgrad", "mt_sac"], "seeds": [0, 1]},
        env={"tasks": tasks},
    )
    first, second = ranked(results, results.groups)
    assert (first.name, first.rank, first.rank_by_iqm) == ("MT-SAC", 1, 2)
    np.testing.assert_allclose([first.mean.value, first.middle.value], [5.5 / 6, 3.75 / 4])
    np.testing.assert_allclose([second.mean.value, second.middle.value], [5.34 / 6, 1])


def test_the_ranking_is_that_worked_out_by_hand(runs):
    experiment, results = results_of(runs, sweep=THREE)
    # Middle halves: of .0 [.2 .4] .4, of .2 [.4 .4] .6 and of .2 [.4 .6] 1.
    rows = ranked(results, results.groups)
    assert [(row.rank, row.name) for row in rows] == [(1, "Static sparse"), (2, "MT-SAC"), (3, "PCGrad")]
    np.testing.assert_allclose([row.middle.value for row in rows], [0.5, 0.4, 0.3])
    # Reach: .2 loses twice, .4 ties and loses. Door: .4 wins and ties, 0 loses twice: (.5 + 1.5) of 8 pairs.
    # Static sparse. Reach: 1 wins twice, .6 wins and ties. Door: .4 wins and ties, .2 ties and loses: 5.5 of 8.
    static, control, pcgrad = records(runs, experiment, "comparison.csv")
    assert static["probability_of_improvement_over_mt_sac"] == "0.687500"
    assert control["probability_of_improvement_over_mt_sac"] == ""
    assert pcgrad["probability_of_improvement_over_mt_sac"] == "0.250000"
    assert (static["rank"], static["method"], static["method_name"]) == ("1", "Static sparse", "static_sparse")
    assert (static["final_mean"], static["final_iqm"]) == ("0.550000", "0.500000")
    assert [row["rank_by_iqm"] for row in (static, control, pcgrad)] == ["1", "2", "3"]
    assert (static["final_mean_low"], static["final_mean_high"]) == ("", "")
    # Q networks: two of 900; nothing is left out of the total for being masked.
    assert (static["policy_parameters"], static["policy_parameters_kept"]) == ("1000.000000", "500.000000")
    assert static["all_parameters"] == "2800.000000"


def test_the_comparison_shows_rank_name_numbers_and_size(runs):
    experiment, _ = results_of(runs, sweep=THREE)
    text = read(runs, experiment, "comparison.md")
    first, second, third = lines_with(text, "2 of 2")
    assert first.startswith("| 1 | 1 | Static sparse | 2 of 2 | **0.55 ± 0.21** | **0.50** | **0.69** |")
    assert first.endswith("| 1.00k | 500 | 2.80k | 13.3 | \N{EN DASH} |")
    assert second.startswith("| 2 | 2 | MT-SAC | 2 of 2 | 0.40 ± 0.14 | 0.40 |")
    assert "| \N{EN DASH} | 1.00k | 1.00k | 2.80k | 13.3 |" in second
    assert third.startswith("| 3 | 3 | PCGrad |")


def test_equals_share_a_rank_and_what_is_not_finished_has_none(runs, unfinished):
    experiment = runs.experiment(sweep=THREE)
    directories = runs.write_all(experiment, lambda *_: np.full((2, 2), 0.5))
    for directory in directories[2:4]:
        unfinished(directory, "running")
    results = load_results(experiment, runs.results)
    assert [row.rank for row in ranked(results, results.groups)] == [1, 1, None]
    assert lines_with(read(runs, experiment, "comparison.md"), "0 of 2")[0].startswith(
        "| \N{EN DASH} | \N{EN DASH} | MT-SAC |"
    )


def test_the_control_is_multi_task_sac_on_the_same_tasks(runs):
    sweep = {"seeds": [0], "pruning_ratios": [0, 0.5], "update_intervals": [10]}
    _, results = results_of(
        runs, lambda *_: np.ones((2, 2)), sweep=sweep | {"methods": ["pcgrad", "static_sparse", "must", "mt_sac"]}
    )
    assert {results.control_of(group).config.method for group in results.groups} == {"mt_sac"}
    control = results.groups[-1]
    assert [improvement(results, group, control).value for group in results.groups[:-1]] == [0.5, 0.5, 0.5]
    assert names_of(results.groups) == ["PCGrad", "Static sparse", "MUST", "MT-SAC"]  # what prunes nothing is MT-SAC
    experiment = runs.experiment(name="other", sweep=sweep | {"methods": ["pcgrad", "static_sparse", "must"]})
    runs.write_all(experiment, lambda *_: np.ones((2, 2)))
    results = load_results(experiment, runs.results)
    assert {(c.config.method, c.dense) for c in map(results.control_of, results.groups)} == {("must", True)}


def test_the_static_control_has_the_same_masks_but_for_learning(runs):
    sweep = {
        "methods": ["must", "static_sparse", "mt_sac"],
        "seeds": [0],
        "granularities": ["weight", "neuron"],
        "pruning_ratios": [0.5, 0.8],
        "update_intervals": [10, 20],
    }
    experiment, results = results_of(runs, lambda _, run: [[0, 0], [STATIC_RATES[run.method]] * 2], sweep=sweep)
    compared = ("granularity", "pruning_ratio")
    for group in results.groups:
        control = results.static_control_of(group)
        if group.config.method == "mt_sac":
            assert control is None
        else:
            assert control.config.method == "static_sparse"
            assert [control.settings[axis] for axis in compared] == [group.settings[axis] for axis in compared]
    rows = records(runs, experiment, "aggregates.csv")
    names = ("probability_of_improvement_over_static", "area_probability_of_improvement_over_static")
    values = {row["method_name"]: [row[name] for name in names] for row in rows}
    assert values == {"must": ["1.000000"] * 2, "static_sparse": ["", ""], "mt_sac": ["", ""]}
    text = read(runs, experiment, "aggregates.md")
    assert "| P(better) | P(better than static) | Area under curve | P(better) by area |" in text
    assert "| P(better than static) by area |" in text
    text = read(runs, experiment, "comparison.md")
    assert "| P(better than MT-SAC) | P(better than static) | Policy params |" in text
    shown = {
        row["method_name"]: row["probability_of_improvement_over_static"]
        for row in records(runs, experiment, "comparison.csv")
    }
    aggregated = {
        row["method_name"]: row["probability_of_improvement_over_static"]
        for row in records(runs, experiment, "aggregates.csv")
    }
    assert shown == aggregated
    assert "or of static random masks (static; of its own kind and ratio, where it has masks)" in text


def test_without_multi_task_sac_there_is_no_control(runs):
    _, results = results_of(
        runs, lambda *_: np.ones((2, 2)), sweep={"methods": ["pcgrad", "static_sparse"], "seeds": [0]}
    )
    assert [results.control_of(group) for group in results.groups] == [None, None]
    assert len(variants(results)) == 2


def test_methods_stand_in_one_column_and_their_settings_in_others(runs):
    experiment, _ = results_of(runs, lambda *_: np.ones((2, 2)), sweep=EVERY_METHOD | {"magnitude_networks": ["both"]})
    text = read(runs, experiment, "success_rate.md")
    assert text.startswith("| Method | Modules | Pruned networks | Pruning ratio | Update interval | Seeds |")
    dash = "\N{EN DASH}"
    assert f"| Soft Modularization | deep | {dash} | {dash} | {dash} | 2 of 2 |" in text
    assert f"| Magnitude pruning | {dash} | both | 0.5 | {dash} | 2 of 2 |" in text
    assert f"| MUST | {dash} | {dash} | 0.5 | 10 | 2 of 2 |" in text
    rows = records(runs, experiment)
    assert [row["method_name"] for row in rows] == sorted([*METHODS, "soft_modularization"], key=list(METHODS).index)
    assert {row["method"] for row in rows} == {spec.label for spec in METHODS.values()}
    tasks = read(runs, experiment, "per_task.md")
    assert "**Final success (1 of 3)**" in tasks
    assert "| Task | MUST | MT-SAC | MTMH-SAC | Soft Modularization, shallow | Soft Modularization, deep |" in tasks
    assert len(records(runs, experiment, "per_task.csv")) == (len(METHODS) + 1) * 2


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in METHOD_SWEEPS]
)
def test_what_is_drawn_is_what_is_announced_and_can_be_read(runs, name):
    experiment = runs.experiment(**METHOD_SWEEPS[name])
    runs.write_all(experiment)
    figures = draw(runs, experiment)
    assert list(figures) == figure_names(experiment)
    for figure in figures.values():
        assert figure.get_figwidth() <= TWO_COLUMNS + 1e-9
        assert figure.get_figheight() <= PAGE + 0.6
        texts = texts_of(figure)
        assert min(text.get_size() for text in texts) >= SMALL
        for text, box in texts.items():
            assert min(box.x0, box.y0) > -2, text.get_text()
            assert max(box.x1 - figure.bbox.x1, box.y1 - figure.bbox.y1) < 2, text.get_text()
        for (one, box), (other, other_box) in itertools.combinations(texts.items(), 2):
            assert not overlap(box, other_box), (one.get_text(), other.get_text())


def test_the_files_are_those_that_are_announced(runs):
    experiment = runs.experiment(**METHOD_SWEEPS["two without masks"])
    runs.write_all(experiment)
    tables, figures = write_tables(experiment, runs.results), write_figures(experiment, runs.results)
    assert {path.name for path in tables} == {
        f"{name}.{kind}" for name in table_names(experiment) for kind in ("csv", "md", "tex")
    }
    assert {path.name for path in figures} == {
        f"{name}.{kind}" for name in figure_names(experiment) for kind in ("pdf", "svg", "png")
    }
    assert {"comparison", "method_comparison"} <= {path.stem for path in (*tables, *figures)}


@pytest.mark.slow
def test_all_methods_write_every_file(runs):
    experiment = runs.experiment(**METHOD_SWEEPS["every method"])
    runs.write_all(experiment)
    assert len(load_results(experiment, runs.results).groups) == len(METHODS) + 1
    assert {path.stem for path in write_tables(experiment, runs.results)} == set(table_names(experiment))
    assert {path.stem for path in write_figures(experiment, runs.results)} == set(figure_names(experiment))


def test_one_method_has_the_tables_and_figures_it_always_had(runs):
    experiment = runs.experiment()
    assert table_names(experiment) == [*TABLES, *TABLES_OF_MASKS]
    assert figure_names(experiment) == [name for name in FIGURES if name not in OPTIONAL_FIGURES]
    assert "method_comparison" not in FIGURES
    runs.write_all(experiment)
    old = runs.results / "fake" / "tables" / "comparison.md"
    old.parent.mkdir()
    old.write_text("of an earlier sweep")
    write_tables(experiment, runs.results)
    assert not old.exists()


def test_every_panel_is_a_method_before_the_control(runs):
    experiment, results = results_of(runs, lambda *_: np.ones((3, 2)), sweep=MANY)
    shown = method_panels(results)
    panels = shown.panels
    titles = [", ".join(panel.title) for panel in panels]
    assert shown.notes == []
    assert len(titles) == len(set(titles))
    assert "MT-SAC" not in titles
    assert {"MUST, neuron, interval 20", "Soft Modularization, deep", "PCGrad"} <= set(titles)
    sparse = next(panel for panel in panels if panel.title == ["Static sparse", "weight"])
    assert list(sparse.lines) == ["MT-SAC", "0.5", "0.8"]
    figure = draw(runs, experiment, "learning_curves")["learning_curves"]
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [len(curves_of(axes)) for axes in shown] == [len(panel.lines) for panel in panels]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["MT-SAC", "no masks", "0.5", "0.8"]


def test_points_and_cells_are_those_of_the_ranking(runs):
    experiment, _ = results_of(runs, sweep=THREE)
    figures = draw(runs, experiment, "method_comparison", "success_per_task", "mask_overlap")
    middles, improvements = figures["method_comparison"].axes
    assert [label.get_text() for label in middles.get_yticklabels()] == ["Static sparse", "MT-SAC", "PCGrad"]
    rings, *points = middles.lines
    np.testing.assert_allclose(rings.get_xdata(), [0.5, 0.4, 0.3])
    assert rings.get_markerfacecolor() == "none"
    np.testing.assert_allclose([line.get_xdata()[0] for line in points], [0.55, 0.4, 0.25])
    points = [(line.get_xdata()[0], line.get_ydata()[0]) for line in improvements.lines if len(line.get_xdata()) == 1]
    np.testing.assert_allclose(points, [(0.6875, 0), (0.25, 2)])
    image = figures["success_per_task"].axes[0].collections[0].get_array()
    np.testing.assert_allclose(image, [[0.8, 0.3], [0.5, 0.3], [0.3, 0.2]])
    (title,) = (axes.get_title() for axes in figures["mask_overlap"].axes if axes.get_title())
    assert title.replace("\n", ", ") == "pruning ratio 0.5, 2 seeds, by chance 0.33"
