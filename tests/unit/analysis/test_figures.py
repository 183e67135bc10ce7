"""The figures: which there are, that nothing in them is cut or overlaps, and that they are the same at every build."""

import csv
import itertools
import json
import logging
import re

import matplotlib as mpl
import numpy as np
import pytest

from must.analysis import write_figures
from must.analysis.settings import setting_axis
from must.analysis.style import (
    ONE_COLUMN,
    PAGE,
    SMALL,
    TWO_COLUMNS,
    ramp,
    wrap_title,
)
from must.config.outputs import FIGURES, OPTIONAL_FIGURES, figure_names
from must.data.logs import read_overlaps
from must.data.names import short_number
from must.errors import ResultsError
from tests.support.drawing import check_nothing_is_cut, curves_of, draw, overlap, texts_of
from tests.support.sweeps import SWEEPS

RATES = {  # (pruning ratio, seed) -> (E, K)
    (0.0, 0): [[0.0, 0.2], [0.4, 0.6]],
    (0.0, 1): [[0.2, 0.0], [0.8, 0.6]],
    (0.5, 0): [[0.0, 0.0], [1.0, 0.8]],
    (0.5, 1): [[0.0, 0.0], [0.6, 0.4]],
}


LARGE = ("ten tasks", "fifty tasks", "ablation", "benchmarks")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in SWEEPS]
)
def test_figures_fit_a_page_and_nothing_in_them_is_cut_or_overlaps(runs, name):
    experiment = runs.experiment(**SWEEPS[name])
    runs.write_all(experiment)
    figures = draw(runs, experiment)
    assert list(figures) == figure_names(experiment)
    for name, figure in figures.items():
        assert figure.get_figwidth() <= TWO_COLUMNS + 1e-9
        assert figure.get_figheight() <= PAGE + 0.6
        wide = len(figure.axes) > 1 or name == "improvement_over_dense"  # the names of its rows may be long
        assert wide or figure.get_figwidth() <= ONE_COLUMN + 1e-9
        texts = texts_of(figure)
        assert min(text.get_size() for text in texts) >= SMALL
        check_nothing_is_cut(figure)
        for (one, box), (other, other_box) in itertools.combinations(texts.items(), 2):
            assert not overlap(box, other_box), (one.get_text(), other.get_text())
        for legend in figure.legends:
            for axes in figure.axes:
                assert not axes.get_visible() or not overlap(legend.get_window_extent(), axes.get_window_extent())


def test_every_figure_is_written_in_three_formats_and_two_builds_are_identical(runs):
    experiment = runs.experiment()
    runs.write_all(experiment)
    first = {path: path.read_bytes() for path in write_figures(experiment, runs.results)}
    second = {path: path.read_bytes() for path in write_figures(experiment, runs.results)}
    assert first == second
    assert {path.name for path in first} == {
        f"{name}.{kind}" for name in set(FIGURES) - set(OPTIONAL_FIGURES) for kind in ("pdf", "svg", "png")
    }
    assert sorted((runs.results / "fake" / "figures").iterdir()) == sorted(first)
    for path, content in first.items():
        if path.suffix == ".pdf":
            assert b"/Subtype /Type3" not in content
            assert b"/FontFile2" in content  # A TrueType font within: Type 42.
            assert b"/CreationDate" not in content
        if path.suffix == ".svg":
            assert b"dc:date" not in content


def test_lines_are_the_means_worked_out_by_hand(runs):
    experiment = runs.experiment()
    runs.write_all(experiment, lambda _, config: RATES[config.masks.pruning_ratio, config.training.seed])
    names = "learning_curves", "success_by_pruning_ratio", "success_by_update_interval", "success_per_task"
    figures = draw(runs, experiment, *names)
    (axes,) = figures["learning_curves"].axes
    curves = [line.get_xydata() for line in curves_of(axes)]
    np.testing.assert_allclose(curves, [[[3000, 0.1], [18000, 0.6]], [[3000, 0], [18000, 0.7]]])
    (axes,) = figures["success_by_pruning_ratio"].axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "0.5"]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [0.6, 0.7])  # From the control to the first ratio.
    (axes,) = figures["success_by_update_interval"].axes
    np.testing.assert_allclose(next(line.get_ydata()[0] for line in axes.lines if len(line.get_xdata())), 0.6)
    (axes,) = figures["success_per_task"].axes
    np.testing.assert_allclose([bar.get_width() for bar in axes.patches], [0.6, 0.6, 0.8, 0.6])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["reach", "door-open"]


def test_curves_of_a_task_profiles_and_improvements_are_those_worked_out_by_hand(runs):
    experiment = runs.experiment()
    runs.write_all(experiment, lambda _, config: RATES[config.masks.pruning_ratio, config.training.seed])
    names = "learning_curves_per_task", "performance_profiles", "improvement_over_dense"
    figures = draw(runs, experiment, *names)
    reach, door = figures["learning_curves_per_task"].axes
    np.testing.assert_allclose([line.get_ydata() for line in curves_of(reach)], [[0.1, 0.6], [0, 0.8]])
    np.testing.assert_allclose([line.get_ydata() for line in curves_of(door)], [[0.1, 0.6], [0, 0.6]])
    dense, pruned = curves_of(figures["performance_profiles"].axes[0])
    above = {
        rate: (dense.get_ydata()[i], pruned.get_ydata()[i]) for rate, i in ((0.0, 0), (0.5, 50), (0.7, 70), (1.0, 100))
    }
    assert above == {0.0: (1, 1), 0.5: (0.75, 0.75), 0.7: (0.25, 0.5), 1.0: (0, 0)}
    # Reach: 1 beats both, .6 beats .4 only. Door: .8 beats both, .4 none.
    point, half = figures["improvement_over_dense"].axes[0].lines
    np.testing.assert_allclose(point.get_xdata(), [0.625])
    each = figures["improvement_over_dense"].axes[0].collections[0].get_offsets()
    np.testing.assert_allclose(each, [[1, 0], [0.25, 0]])
    np.testing.assert_allclose(half.get_xdata(), [0.5, 0.5])


def test_success_stands_over_the_cost_of_an_action(runs):
    experiment = runs.experiment()
    directories = runs.write_all(experiment, lambda _, config: RATES[config.masks.pruning_ratio, config.training.seed])
    for directory in directories[2:]:
        result = json.loads((directory / "result.json").read_text())
        result["sizes"]["flops_per_action"] = 9_310
        (directory / "result.json").write_text(json.dumps(result))
    figure = draw(runs, experiment, "success_by_flops")["success_by_flops"]
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    points = {line.get_marker(): line.get_xydata()[0].tolist() for line in axes.lines}
    assert points["D"] == pytest.approx([93_100, 0.6])
    assert points["o"] == pytest.approx([9_310, 0.7])
    assert [text.get_text() for text in axes.texts if text.get_text()] == ["ratio 0.5", "MT-SAC"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["MT-SAC", "masks"]


def test_networks_that_share_nothing_have_no_masks(runs):
    """A task uses a part of what there is all the same."""
    sweep = {"methods": ["single_task", "static_sparse"], "pruning_ratios": [0.5], "seeds": [0]}
    experiment = runs.experiment(sweep=sweep)
    for directory in runs.write_all(experiment):
        if "single_task" in str(directory):
            result = json.loads((directory / "result.json").read_text())
            result["sizes"]["policy_parameters_kept"] = 100
            (directory / "result.json").write_text(json.dumps(result))
    figure = draw(runs, experiment, "success_by_flops")["success_by_flops"]
    markers = [line.get_marker() for line in figure.axes[0].lines if line.get_marker() not in ("", "None", None)]
    assert sorted(markers) == ["o", "s"]


def test_settings_of_the_same_cost_stand_side_by_side(runs):
    experiment = runs.experiment()
    runs.write_all(experiment, lambda _, config: RATES[config.masks.pruning_ratio, config.training.seed])
    figure = draw(runs, experiment, "success_by_flops")["success_by_flops"]
    (axes,) = figure.axes
    points = {line.get_marker(): line for line in axes.lines if line.get_marker() in ("D", "o")}
    assert points["D"].get_xdata() == points["o"].get_xdata()
    (masks, higher), (dense, lower) = (
        points[mark].get_transform().transform(points[mark].get_xydata()[0]) for mark in "oD"
    )
    assert (higher > lower, masks - dense) == (True, pytest.approx(4.5 * figure.dpi / 72))
    assert "side by side" in " ".join(figure.legends[0].get_title().get_text().split())


def test_mask_changes_and_speed_are_those_of_the_logs(runs):
    experiment = runs.experiment()
    runs.write_all(experiment)
    figures = draw(runs, experiment, "mask_churn", "training_speed")
    (line,) = curves_of(figures["mask_churn"].axes[0])
    assert line.get_xdata().tolist() == [150 * (20 + n) for n in range(10, 101, 10)]
    logged = []
    for spec in experiment.runs()[2:]:
        with (runs.directory(experiment, spec) / "train.csv").open() as file:
            logged.append([float(row["mask_churn"]) for row in csv.DictReader(file) if row["mask_churn"]])
    np.testing.assert_allclose(line.get_ydata(), np.mean(logged, axis=0))
    masks, dense = curves_of(figures["training_speed"].axes[0])
    assert (dense.get_xdata(), dense.get_ydata()) == ([1.0], [50.0])
    assert masks.get_xdata().tolist() == [0.5, 1.0]


def test_tasks_that_share_much_stand_together_at_start_middle_and_end(runs):
    tasks = ["door-open-v3", "reach-v3", "door-close-v3", "window-open-v3"]
    experiment = runs.experiment(env={"tasks": tasks})
    runs.write_all(experiment)
    figure = draw(runs, experiment, "mask_overlap_over_training")["mask_overlap_over_training"]
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title().split(",")[0] for axes in panels] == [f"from epoch {n}" for n in (0, 10, 20)]
    order = [label.get_text() for label in panels[0].get_yticklabels()]
    assert abs(order.index("door-open") - order.index("door-close")) == 1
    images = [axes.collections[0] for axes in panels]
    assert len({image.get_clim() for image in images}) == 1
    i, j = order.index("door-open"), order.index("door-close")
    first, middle, last = (image.get_array()[i, j] for image in images)
    assert first < middle < last


def test_a_log_of_masks_that_lacks_a_pair_is_an_error(runs, tmp_path):
    path = tmp_path / "masks.csv"
    rows = ["epoch,version,network,task_a,task_b,overlap", "0,1,policy,a,b,0.5", "0,1,policy,a,c,0.5"]
    path.write_text("\n".join(rows) + "\n")
    with pytest.raises(ResultsError, match=r"masks\.csv"):
        read_overlaps(path, ("a", "b", "c"))
    path.write_text("\n".join([*rows, "0,1,policy,b,d,0.5"]) + "\n")
    with pytest.raises(ResultsError, match=r"masks\.csv"):
        read_overlaps(path, ("a", "b", "c"))


def test_the_heat_map_is_the_mean_of_the_seeds_with_a_blank_diagonal(runs):
    experiment = runs.experiment()
    runs.write_all(experiment)
    overlaps = []
    for spec in experiment.runs()[2:]:
        lines = (runs.directory(experiment, spec) / "masks.csv").read_text().splitlines()
        overlaps.append(next(float(line.split(",")[-1]) for line in lines if line.startswith("20,2,policy")))
    image = draw(runs, experiment, "mask_overlap")["mask_overlap"].axes[0].collections[0].get_array()
    mean = np.mean(overlaps)
    np.testing.assert_allclose(image.filled(np.nan), [[np.nan, mean], [mean, np.nan]])


def test_the_heat_map_shows_the_interval_with_the_highest_success(runs):
    experiment = runs.experiment(sweep={"seeds": [0], "pruning_ratios": [0.5, 0.8], "update_intervals": [10, 20, 30]})
    runs.write_all(experiment, lambda _, config: np.full((2, 2), 0.9 if config.masks.update_interval == 20 else 0.4))
    panels = [axes for axes in draw(runs, experiment, "mask_overlap")["mask_overlap"].axes if axes.get_title()]
    assert [axes.get_title().replace("\n", ", ") for axes in panels] == [
        "pruning ratio 0.5, update interval 20, 1 seed, by chance 0.33",
        "pruning ratio 0.8, update interval 20, 1 seed, by chance 0.11",
    ]


def test_what_the_runs_hold_no_data_for_is_said_and_an_older_file_removed(runs, caplog):
    experiment = runs.experiment(sweep={"seeds": [0], "pruning_ratios": [0]})
    runs.write_all(experiment)
    old = runs.results / "fake" / "figures" / "mask_overlap.pdf"
    old.parent.mkdir()
    old.write_text("of an earlier sweep")
    with caplog.at_level(logging.WARNING):
        paths = write_figures(experiment, runs.results)
    assert sorted({path.stem for path in paths}) == sorted(figure_names(experiment))
    assert "mask_overlap" not in figure_names(experiment)
    assert not old.exists()
    assert "No figure mask_overlap: no finished run holds data for it." in caplog.messages


def test_runs_that_do_not_count_are_not_drawn_and_the_figure_says_so(runs, unfinished):
    experiment = runs.experiment(**SWEEPS["quick"])
    directories = runs.write_all(experiment)
    for directory in (*directories[:2], directories[2], directories[4], directories[5]):
        unfinished(directory, "running")
    figures = draw(runs, experiment)
    for name, figure in figures.items():
        if not name.startswith("mask_overlap"):
            title = figure.legends[0].get_title().get_text().replace("\n", " ")
            assert "5 of 10 runs finished" in title
            assert "1 to 2 seeds" in title
    assert not any("dense" in text.get_text() for text in figures["performance_profiles"].legends[0].get_texts())
    assert "improvement_over_dense" not in figures  # no dense run is finished
    assert [text.get_text() for text in figures["learning_curves"].legends[0].get_texts()] == ["0.5", "0.8"]


def test_many_evaluations_are_averaged_and_the_figure_says_so(runs):
    experiment = runs.experiment(training={"epochs": 1000})
    runs.write_all(experiment, lambda *_: np.repeat(np.linspace(0, 1, 250)[:, None], 2, axis=1))
    figure = draw(runs, experiment, "learning_curves")["learning_curves"]
    line = curves_of(figure.axes[0])[0]
    assert len(line.get_xdata()) == 83
    np.testing.assert_allclose(line.get_ydata()[-1], np.linspace(0, 1, 250)[-3:].mean())
    assert "points: means of 3 evaluations" in figure.legends[0].get_title().get_text()


@pytest.mark.parametrize(("colours", "values"), [((), "abcde"), (("plasma", 0.05, 0.78), "abcd")])
def test_looks_differ_in_greyscale_and_without_colour(colours, values):
    chosen = list(ramp(values, *colours).values())
    lightness = [np.dot(look.color[:3], [0.2126, 0.7152, 0.0722]) for look in chosen]
    assert min(np.diff(lightness)) > 0.05
    assert len({look.marker for look in chosen}) == len(values)
    assert len({str(look.dashes) for look in chosen}) == len(values)


def test_values_are_to_scale_where_their_labels_have_room():
    axes = mpl.figure.Figure().subplots()
    np.testing.assert_allclose(setting_axis(axes, [0, 0.5, 0.8]), [0, 0.625, 1])
    np.testing.assert_allclose(setting_axis(axes, [0, 0.98, 0.99]), [0, 0.5, 1])
    np.testing.assert_allclose(setting_axis(axes, [25, 50, 100], log=True), [0, 0.5, 1])
    np.testing.assert_allclose(setting_axis(axes, [10]), [0.5])


def test_short_numbers_and_titles():
    assert [short_number(value) for value in (0, 500, 20_000, 1_500_000)] == ["0", "500", "20k", "1.5M"]
    assert wrap_title(["weight", "supervised loss on", "update interval 25"], 2.0) == (
        "weight, supervised loss on\nupdate interval 25"
    )
    assert not re.search("\n", wrap_title(["weight", "neuron"], 2.0))
