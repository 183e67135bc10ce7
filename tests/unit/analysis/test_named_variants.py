"""Sweeps over named settings: how they are named, and what tables and figures then show."""

import numpy as np

from must.analysis import load_results
from must.analysis.measures import ranked
from must.analysis.panels import method_panels
from must.config.outputs import compares_methods, figure_names, table_names
from must.data.names import names_of
from must.data.variants import masked_variants, variant_titles
from tests.support.drawing import draw
from tests.support.reading import lines_with, read, records
from tests.support.sweeps import METHOD_SWEEPS, VARIANTS

RATES = {"dense": 0.4, "static": 0.2, "must": 0.6, "must-noise": 0.8, "must-90": 0.5}


def by_hand(spec, config):
    value = RATES[dict(spec.params)["variant"]] + 0.1 * config.training.seed
    return [[0, 0], [value, value]]


def results_of(runs):
    return runs.results_of(by_hand, **METHOD_SWEEPS["variants"])


def test_a_variant_is_named_where_others_share_its_method_and_ratio(runs):
    _, results = results_of(runs)
    rows = ranked(results, results.groups)
    assert [(row.rank, row.name) for row in rows] == [
        (1, "MUST, must-noise, ratio 0.8"),
        (2, "MUST, must, ratio 0.8"),
        (3, "MUST, ratio 0.9"),
        (4, "MT-SAC"),
        (5, "Static sparse, ratio 0.8"),
    ]
    assert [row.improvement.value for row in rows[:2]] == [1.0, 1.0]
    assert {results.control_of(group).settings["variant"] for group in results.groups} == {"dense"}
    one_ratio = [group for group in results.groups if group.settings["variant"] != "must-90"]
    assert names_of(one_ratio) == ["MT-SAC", "Static sparse", "MUST, must", "MUST, must-noise"]


def test_panels_are_named_without_the_ratio_and_have_the_controls_behind(runs):
    _, results = results_of(runs)
    panels = method_panels(results).panels
    assert [", ".join(panel.title) for panel in panels] == [
        "Static sparse, ratio 0.8",
        "MUST, must, ratio 0.8",
        "MUST, must-noise, ratio 0.8",
        "MUST, ratio 0.9",
    ]
    # Behind learned masks there are static ones of the same ratio, if there are any.
    assert [list(panel.lines) for panel in panels] == [
        ["MT-SAC", "0.8"],
        ["MT-SAC", "Static sparse", "0.8"],
        ["MT-SAC", "Static sparse", "0.8"],
        ["MT-SAC", "0.9"],
    ]
    assert panels[1].lines["Static sparse"].settings["variant"] == "static"
    titles = [", ".join(title) for title in variant_titles(masked_variants(results))]
    assert titles == ["Static sparse", "MUST, must", "MUST, must-noise", "MUST, must-90"]


def test_tables_have_a_column_for_the_variant_and_show_the_ratio_that_it_sets(runs):
    experiment, _ = results_of(runs)
    assert "comparison" in table_names(experiment)
    text = read(runs, experiment, "success_rate.md")
    assert text.startswith("| Method | Variant | Pruning ratio | Update interval | Seeds |")
    assert "| MUST | must-90 | 0.9 | 10 | 2 of 2 |" in text
    dash = "\N{EN DASH}"
    assert f"| MT-SAC | dense | {dash} | {dash} | 2 of 2 |" in text
    assert lines_with(read(runs, experiment, "comparison.md"), "2 of 2")[0].startswith("| 1 | 1 | MUST, must-noise,")
    for name in ("success_rate.csv", "aggregates.csv", "cost.csv"):
        rows = records(runs, experiment, name)
        assert [row["variant"] for row in rows] == list(VARIANTS)
        assert rows[-1]["pruning_ratio"] == "0.9"
        assert [row["method_name"] for row in rows][:2] == ["mt_sac", "static_sparse"]
    assert "| Task | MT-SAC | Static sparse, ratio 0.8 | MUST, must, ratio 0.8 |" in read(
        runs, experiment, "per_task.md"
    )


def test_runs_that_are_left_out_are_named_by_their_variant(runs, unfinished):
    experiment = runs.experiment(**METHOD_SWEEPS["variants"])
    unfinished(runs.write_all(experiment, by_hand)[-1], "running")
    left_out = lines_with(read(runs, experiment, "success_rate.md"), "Left out")
    assert "must-90, update interval 10, seed 1 (running)" in left_out[0]


def test_figures_of_variants_compare_them(runs):
    experiment, _ = results_of(runs)
    names = figure_names(experiment)
    assert {"method_comparison", "mask_overlap", "mask_churn"} <= set(names)
    assert not {"success_by_pruning_ratio", "success_by_update_interval", "improvement_over_dense"} & set(names)
    figures = draw(runs, experiment, "mask_churn", "method_comparison")
    titles = [axes.get_title().replace("\n", ", ") for axes in figures["mask_churn"].axes if axes.get_visible()]
    assert titles == [f"MUST, {name}, update interval 10" for name in ("must", "must-noise", "must-90")]
    drawn = {axes.get_title(): axes.dataLim.ymax for axes in figures["mask_churn"].axes if axes.get_visible()}
    assert max(drawn, key=drawn.__getitem__).startswith("MUST, must-90")  # its axes are those of all panels
    assert max(drawn.values()) < figures["mask_churn"].axes[0].get_ylim()[1] < 1.1 * max(drawn.values())
    rows = [label.get_text() for label in figures["method_comparison"].axes[0].get_yticklabels()]
    assert rows[0] == "MUST, must-noise, ratio 0.8"


def test_variants_of_one_method_are_compared_and_share_the_dense_control(runs):
    experiment = runs.experiment(**METHOD_SWEEPS["variants of one method"])
    assert experiment.methods == ("must",)
    assert compares_methods(experiment)
    runs.write_all(experiment, lambda *_: np.ones((2, 2)))
    results = load_results(experiment, runs.results)
    assert len(results.groups) == 1 + 2 * 2 * 2
    controls = {results.control_of(group) for group in results.groups}
    assert len(controls) == 1
    assert {control.settings["pruning_ratio"] for control in controls} == {"0"}
    names = names_of(results.groups)
    assert (names[0], names[1], names[-1]) == (
        "MT-SAC, ratio 0",
        "MUST, published, ratio 0.5, interval 10",
        "MUST, softmax, ratio 0.8, interval 40",
    )
    assert {"success_by_pruning_ratio", "success_by_update_interval"} <= set(figure_names(experiment))


def test_a_single_variant_compares_nothing(runs):
    experiment = runs.experiment(**METHOD_SWEEPS["one variant"])
    assert not compares_methods(experiment)
    runs.write_all(experiment)
    assert "| MUST | noise | 0.5 |" in read(runs, experiment, "success_rate.md")
