"""Figures for one column or a page, and over time."""

import itertools

import numpy as np
import pytest
from matplotlib.transforms import Bbox

from must.analysis.style import ONE_COLUMN, TWO_COLUMNS
from tests.support.drawing import curves_of, draw, overlap, texts_of
from tests.support.sweeps import METHOD_SWEEPS, SWEEPS


@pytest.mark.parametrize(
    ("width", "inches", "name"),
    [
        ("column", ONE_COLUMN, "quick"),
        ("page", TWO_COLUMNS, "quick"),
        ("column", ONE_COLUMN, "variants"),
        pytest.param("column", ONE_COLUMN, "every method on ten tasks", marks=pytest.mark.slow),
    ],
)
def test_figures_have_the_width_that_is_asked_for_and_nothing_in_them_is_cut_or_overlaps(runs, width, inches, name):
    experiment = runs.experiment(**(SWEEPS | METHOD_SWEEPS)[name])
    runs.write_all(experiment)
    for name, figure in draw(runs, experiment, width=width).items():
        # Heat maps are square: where many stand below each other, they are less wide.
        assert figure.get_figwidth() == pytest.approx(inches) or name.startswith("mask_overlap")
        texts = texts_of(figure)
        for text, box in texts.items():
            assert Bbox.intersection(box, figure.bbox).width > box.width - 2, (name, text.get_text())
        for (one, box), (other, other_box) in itertools.combinations(texts.items(), 2):
            assert not overlap(box, other_box), (name, one.get_text(), other.get_text())


def test_a_long_note_below_few_rows_is_not_cut(runs):
    """The seeds of three settings, and how many runs are finished, are more than a column has room for in a line."""
    sweep = {"methods": ["static_sparse", "equal_cost", "pcgrad"], "seeds": list(range(5)), "pruning_ratios": [0.5]}
    experiment = runs.experiment(sweep=sweep)
    for number, spec in enumerate(experiment.runs()):
        if number not in (6, 7, 11):
            runs.write(experiment, spec)
    for name, figure in draw(runs, experiment, "method_comparison", "training_speed").items():
        assert figure.get_figwidth() == pytest.approx(ONE_COLUMN)
        for text, box in texts_of(figure).items():
            assert Bbox.intersection(box, figure.bbox).width > box.width - 2, (name, text.get_text())


@pytest.mark.parametrize(("times", "scale"), [(3, "linear"), (5, "log")])
def test_all_panels_have_the_same_time_axis(runs, times, scale):
    experiment = runs.experiment(sweep={"methods": ["mt_sac", "must", "pcgrad"], "pruning_ratios": [0.5]})
    for spec in experiment.runs():
        directory = runs.write(experiment, spec)
        if not spec.has("method", "pcgrad"):  # the others take so many times as long
            first, *rows = (directory / "timing.csv").read_text().splitlines()
            slower = [[row.split(",")[0], *(str(times * float(value)) for value in row.split(",")[1:])] for row in rows]
            (directory / "timing.csv").write_text("\n".join([first, *map(",".join, slower)]) + "\n")
    figure = draw(runs, experiment, "learning_curves_by_time")["learning_curves_by_time"]
    minutes, evaluations = (60 + 80 * 7 + 8 * 4) / 60, len((directory / "eval.csv").read_text().splitlines()) - 1
    fast = next(curves_of(axes)[1] for axes in figure.axes if axes.get_title() == "PCGrad").get_xdata()
    logarithmic = scale == "log"  # which has no place for the evaluation before training
    assert len(fast) == evaluations - logarithmic
    assert len(figure.axes) == 2
    for axes in figure.axes:
        assert axes.get_xscale() == scale
        assert axes.get_xlim() == pytest.approx((fast[0] if logarithmic else 0, times * minutes))
        labels = {label.get_text() for label in axes.get_xticklabels()}
        assert labels >= ({"1", "3", "10", "30"} if logarithmic else {"0", "10", "20", "30"})


def log_cpu_times(directory):
    """Add six seconds of CPU time to each epoch of a run's times."""
    lines = (directory / "timing.csv").read_text().splitlines()
    rows = [f"{line},{'cpu_s' if i == 0 else 6}\n" for i, line in enumerate(lines)]
    (directory / "timing.csv").write_text("".join(rows))


def test_curves_over_time_are_those_of_the_logs(runs):
    experiment = runs.experiment()
    for directory in runs.write_all(experiment):
        log_cpu_times(directory)
    figures = draw(runs, experiment, "learning_curves_by_time", "learning_curves_by_cpu_time", "learning_curves")
    clock, cpu, steps = (curves_of(figures[name].axes[0])[1] for name in figures)
    np.testing.assert_allclose(clock.get_ydata(), steps.get_ydata())
    np.testing.assert_allclose(clock.get_xdata()[-1], (60 + 80 * 7 + 8 * 4) / 60)  # the factory's last epoch is 100
    np.testing.assert_allclose(cpu.get_xdata()[-1], 100 * 6 / 60)


def test_settings_whose_runs_did_not_log_cpu_time_have_no_panel(runs):
    experiment = runs.experiment(sweep={"methods": ["mt_sac", "must", "pcgrad"], "pruning_ratios": [0.5]})
    for spec in experiment.runs():
        directory = runs.write(experiment, spec, git_commit=("a" if spec.has("method", "pcgrad") else "b") * 40)
        if not spec.has("method", "pcgrad"):
            log_cpu_times(directory)
    figure = draw(runs, experiment, "learning_curves_by_cpu_time")["learning_curves_by_cpu_time"]
    assert [axes.get_title() for axes in figure.axes] == ["MUST"]
    said = " ".join(" ".join(text.get_text().split()) for text in texts_of(figure))
    assert "times of 2 commits; without 1 setting whose runs did not log them" in said


@pytest.mark.parametrize(("cpus", "said"), [(["A 1", "A 1"], False), (["A 1", "B (family 26, model 2)"], True)])
def test_times_of_several_kinds_of_processors_are_told_apart_from_steps(runs, cpus, said):
    experiment = runs.experiment()
    for number, spec in enumerate(experiment.runs()):
        runs.write(experiment, spec, cpu=cpus[number % 2])
    figures = draw(runs, experiment, "learning_curves_by_time", "learning_curves")
    by_time, by_steps = ("\n".join(text.get_text() for text in texts_of(figure)) for figure in figures.values())
    assert ("times of 2 kinds of processors" in by_time) == said
    assert "processors" not in by_steps
