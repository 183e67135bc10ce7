"""The figures: which there are, that nothing in them is cut or overlaps, and that they are the same at every build."""

import itertools
import logging
import re

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from must.analysis import figure_names, write_figures
from must.analysis.figures import FIGURES
from must.analysis.load import load_results
from must.analysis.plots.panels import setting_axis, short_number
from must.analysis.style import (
    ONE_COLUMN,
    PAGE,
    SMALL,
    STYLE,
    TWO_COLUMNS,
    interval_looks,
    lay_out,
    ratio_looks,
    wrap_title,
)
from tests.sweeps import SWEEPS


def draw(runs, experiment):
    """Give every figure of an experiment, laid out but not written."""
    with mpl.rc_context(STYLE):
        drawn = {name: figure(load_results(experiment, runs.results)) for name, figure in FIGURES.items()}
        figures = {name: figure for name, figure in drawn.items() if figure is not None}
        for figure in figures.values():
            lay_out(figure)
    return figures


def texts_of(figure):
    """Give the texts that are seen, and the boxes they take in pixels."""
    renderer = figure.canvas.get_renderer()
    hidden = {
        id(text) for axes in figure.findobj(mpl.axes.Axes) if not axes.get_visible() for text in axes.findobj(Text)
    }
    for axes in figure.findobj(mpl.axes.Axes):
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks() + axis.get_minor_ticks():
                if not axes.axison or not low <= tick.get_loc() <= high:
                    hidden |= {id(text) for text in tick.findobj(Text)}
    seen = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible() and id(text) not in hidden]
    return {text: text.get_window_extent(renderer) for text in seen}


def overlap(one, other):
    """Say whether two boxes overlap by more than a pixel or two of padding."""
    shared = Bbox.intersection(one, other)
    return shared is not None and shared.width > 2 and shared.height > 2


@pytest.mark.parametrize("name", SWEEPS)
def test_figures_fit_a_page_and_nothing_in_them_is_cut_or_overlaps(runs, name):
    experiment = runs.experiment(**SWEEPS[name])
    runs.write_all(experiment)
    figures = draw(runs, experiment)
    assert list(figures) == figure_names(experiment)
    for figure in figures.values():
        assert figure.get_figwidth() <= TWO_COLUMNS + 1e-9
        assert figure.get_figheight() <= PAGE + 0.6
        assert len(figure.axes) > 1 or figure.get_figwidth() <= ONE_COLUMN + 1e-9
        texts = texts_of(figure)
        assert min(text.get_size() for text in texts) >= SMALL
        for text, box in texts.items():
            inside = Bbox.intersection(box, figure.bbox)
            assert inside is not None, text.get_text()
            assert inside.width > box.width - 2, text.get_text()
            assert inside.height > box.height - 2, text.get_text()
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
    assert {path.name for path in first} == {f"{name}.{kind}" for name in FIGURES for kind in ("pdf", "svg", "png")}
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
    rates = {
        (0.0, 0): [[0.0, 0.2], [0.4, 0.6]],
        (0.0, 1): [[0.2, 0.0], [0.8, 0.6]],
        (0.5, 0): [[0.0, 0.0], [1.0, 0.8]],
        (0.5, 1): [[0.0, 0.0], [0.6, 0.4]],
    }
    runs.write_all(experiment, lambda _, config: rates[config.masks.pruning_ratio, config.training.seed])
    figures = draw(runs, experiment)
    (axes,) = figures["learning_curves"].axes
    curves = [line.get_xydata() for line in axes.lines]
    np.testing.assert_allclose(curves, [[[3000, 0.1], [18000, 0.6]], [[3000, 0], [18000, 0.7]]])
    (axes,) = figures["success_by_pruning_ratio"].axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "0.5"]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [0.6, 0.7])  # From the control to the first ratio.
    (axes,) = figures["success_by_update_interval"].axes
    np.testing.assert_allclose(next(line.get_ydata()[0] for line in axes.lines if len(line.get_xdata())), 0.6)
    (axes,) = figures["success_per_task"].axes
    np.testing.assert_allclose([bar.get_width() for bar in axes.patches], [0.6, 0.6, 0.8, 0.6])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["reach", "door-open"]


def test_the_heat_map_is_the_mean_of_the_seeds_with_a_blank_diagonal(runs):
    experiment = runs.experiment()
    runs.write_all(experiment)
    overlaps = []
    for spec in experiment.runs()[2:]:
        lines = (runs.directory(experiment, spec) / "masks.csv").read_text().splitlines()
        overlaps.append(next(float(line.split(",")[-1]) for line in lines if line.startswith("20,2,policy")))
    image = draw(runs, experiment)["mask_overlap"].axes[0].images[0].get_array()
    mean = np.mean(overlaps)
    np.testing.assert_allclose(image.filled(np.nan), [[np.nan, mean], [mean, np.nan]])


def test_the_heat_map_shows_the_interval_with_the_highest_success(runs):
    experiment = runs.experiment(sweep={"seeds": [0], "pruning_ratios": [0.5, 0.8], "update_intervals": [10, 20, 30]})
    runs.write_all(experiment, lambda _, config: np.full((2, 2), 0.9 if config.masks.update_interval == 20 else 0.4))
    panels = [axes for axes in draw(runs, experiment)["mask_overlap"].axes if axes.get_title()]
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
    assert sorted({path.stem for path in paths}) == ["learning_curves", "success_by_pruning_ratio", "success_per_task"]
    assert not old.exists()
    assert "No figure mask_overlap: no finished run holds data for it." in caplog.messages


def test_runs_that_do_not_count_are_not_drawn_and_the_figure_says_so(runs, unfinished):
    experiment = runs.experiment(**SWEEPS["quick"])
    directories = runs.write_all(experiment)
    for directory in (*directories[:2], directories[2], directories[4], directories[5]):
        unfinished(directory, "running")
    figures = draw(runs, experiment)
    for name, figure in figures.items():
        if name != "mask_overlap":
            title = figure.legends[0].get_title().get_text()
            assert "5 of 10 runs finished" in title
            assert "1 to 2 seeds" in title
    assert [text.get_text() for text in figures["learning_curves"].legends[0].get_texts()] == ["0.5", "0.8"]


def test_many_evaluations_are_averaged_and_the_figure_says_so(runs):
    experiment = runs.experiment(training={"epochs": 1000})
    runs.write_all(experiment, lambda *_: np.repeat(np.linspace(0, 1, 250)[:, None], 2, axis=1))
    figure = draw(runs, experiment)["learning_curves"]
    line = figure.axes[0].lines[0]
    assert len(line.get_xdata()) == 83
    np.testing.assert_allclose(line.get_ydata()[-1], np.linspace(0, 1, 250)[-3:].mean())
    assert "points: means of 3 evaluations" in figure.legends[0].get_title().get_text()


@pytest.mark.parametrize(
    ("looks", "values"), [(ratio_looks, [0.1, 0.3, 0.5, 0.7, 0.9]), (interval_looks, [1, 2, 3, 4])]
)
def test_looks_differ_in_greyscale_and_without_colour(looks, values):
    chosen = list(looks(values).values())
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
