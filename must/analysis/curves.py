"""Figures of lines: a panel for each setting of some axes, in it a line with its interval for each of another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, MultipleLocator, NullLocator

from must.analysis.notes import figure_note, mixed_in_times
from must.analysis.panels import Panel, Panels, lines_of, panels_of, ratio_looks, task_panels
from must.analysis.statistics import MIN_SEEDS, FloatArray, interval_of_runs, performance_profile, window_means
from must.analysis.style import Look, Width, columns_for, legend_below, panels
from must.config.outputs import compares_methods
from must.data import Group, Results
from must.data.costs import seconds_of
from must.data.logs import read_mask_churn
from must.data.names import parts, short_number
from must.data.variants import masked_variants, variant_titles
from must.run_files import CPU_SECONDS, table
from must.words import count_of

_MARKS = 8
"""Markers along a curve."""
_POINTS = 100
"""Most points of a curve; where there are more evaluations, each point is the mean of several in a row."""
_WIDE = 4
"""How many times as long as the shortest run the longest may take before their common axis of time is logarithmic."""
THRESHOLDS = np.linspace(0, 1, 101)

Series = tuple[FloatArray, FloatArray]
"""x (E,) and y (R, E) of a group's runs."""


def draw_lines(axes: Axes, series: Mapping[str, Sequence[Series]], looks: Mapping[str, Look], **style: Any) -> None:
    """Draw the mean over the runs of each series with its interval; below `MIN_SEEDS` seeds, each run as a thin line.

    Args:
        axes: Where to draw.
        series: Label -> x and the runs' y, of one group or of several that a line goes through.
        looks: Label -> how it is drawn.
        style: Keywords of seaborn's ``lineplot``.
    """
    frames = [
        pd.DataFrame({"x": np.tile(x, len(y)), "y": y.ravel(), "run": np.repeat(np.arange(len(y)), len(x))}).assign(
            line=label, few=1 < len(y) < MIN_SEEDS
        )
        for label, pieces in series.items()
        for x, y in pieces
    ]
    frame = pd.concat(frames, ignore_index=True)
    labels = list(series)
    palette = {label: looks[label].color for label in labels}
    shared: dict[str, Any] = {"x": "x", "y": "y", "hue": "line", "palette": palette, "hue_order": labels}
    shared |= {"ax": axes, "legend": False, "clip_on": False}
    if frame["few"].any() and style.get("err_style") == "bars":
        points: dict[str, Any] = {"s": 4, "linewidth": 0, "alpha": 0.8, "zorder": 2.5}
        sns.scatterplot(frame[frame["few"]], **shared, **points)
    elif frame["few"].any():
        thin: dict[str, Any] = {"linewidth": 0.45, "alpha": 0.55, "drawstyle": style.get("drawstyle")}
        sns.lineplot(frame[frame["few"]], **shared, units="run", estimator=None, **thin)
    look: dict[str, Any] = {"markers": {label: looks[label].marker for label in labels}, "markeredgewidth": 0.4}
    look |= {"dashes": {label: looks[label].dashes for label in labels}, "style": "line", "style_order": labels}
    if style.get("err_style") != "bars":
        step = "post" if style.get("drawstyle") else None
        style = {"err_kws": {"alpha": 0.15, "linewidth": 0, "step": step}} | style
    sns.lineplot(frame, **shared, **look, errorbar=interval_of_runs, zorder=3, **style)
    axes.set(xlabel="", ylabel="")


def figure_of(
    results: Results,
    shown: Panels,
    series: Callable[[Panel, Group], Series | None],
    axes_of: Callable[[Axes], None],
    labels: tuple[str, str],
    width: Width,
    height: float = 0.0,
    **style: Any,
) -> Figure | None:
    """Draw panels of lines with one legend.

    Args:
        results: The runs.
        shown: The panels.
        series: Gives what is drawn of a group, if anything is.
        axes_of: Sets the axes of a panel.
        labels: Names of the x and the y axis.
        width: Of the figure.
        height: Of a panel in inches; 0 stands for what suits so many.
        style: Keywords of seaborn's ``lineplot``.

    Returns:
        The figure; None where there is nothing to draw.
    """
    titles, found = [], []
    for panel in shown.panels:
        each = {label: series(panel, group) for label, group in panel.lines.items() if group.finished}
        lines = {label: values for label, values in each.items() if values is not None}
        if lines.keys() & panel.own:  # without a line of its own it would show the controls' alone, under its title
            titles.append(panel.title)
            found.append(lines)
    if not found:
        return None
    columns = shown.columns(len(found), width)
    row = height or {1: 1.8, 2: 1.8, 3: 1.5}.get(columns, 1.25 if columns == 4 else 1.0)
    figure, axes = panels(titles, columns, row, width, sharey=True)
    for at, (place, lines) in enumerate(zip(axes, found, strict=True)):
        every = max(1, max(len(x) for x, _ in lines.values()) // _MARKS)
        draw_lines(place, {label: [line] for label, line in lines.items()}, shown.looks, markevery=every, **style)
        axes_of(place)
        last = at + columns >= len(axes)
        place.set_xlabel(labels[0] if last else "")
        place.set_ylabel(labels[1] if len(axes) <= columns else "")
        if columns > 3:
            place.tick_params(labelbottom=last)
    if len(axes) > columns:  # one name for all rows, which may be lower than it is long
        figure.supylabel(labels[1])
    drawn = {label: shown.looks[label] for lines in found for label in lines}
    legend_below(figure, drawn, shown.legend, [figure_note(results), *shown.notes])
    return figure


def learning_curves(
    results: Results,
    width: Width,
    panels_in: Callable[[Results], Panels] = panels_of,
    time: str | None = None,
    label: str = "Environment steps per task",
) -> Figure | None:
    """Draw the success over environment steps per task, or over the time that runs took: of tasks, or their mean.

    All panels have the same axis of time, as what runs reached is compared at equal times. Where some settings take
    many times as long as others it is logarithmic, and begins with the first evaluation after training has begun.

    Args:
        results: The runs.
        width: Of the figure.
        panels_in: Returns the panels.
        time: The column of the times, empty for all by the clock; None stands for environment steps.
        label: Of the x axis.
    """
    shown = panels_in(results)
    window = -(-max(len(group.curve_steps) for group in results.groups) // _POINTS)
    notes = [*shown.notes, *([f"points: means of {window} evaluations"] if window > 1 else [])]
    notes += ["without the last evaluation, which has other episodes"] if results.experiment.judges_last else []
    finished = [group for group in results.groups if group.finished]
    x_of = {group: group.curve_steps if time is None else _minutes(group, time) for group in finished}
    known = {group: x for group, x in x_of.items() if not np.isnan(x).any()}
    wide = time is not None and _differ_widely(list(known.values()))
    begun = int(wide)  # the first evaluation, before training, has no place on a logarithmic axis
    if time is not None:
        notes += _notes_on_times(results, len(x_of) - len(known))

    def series(panel: Panel, group: Group) -> Series | None:
        if group not in known:
            return None
        success = group.curve.mean(axis=2) if panel.task is None else group.curve[:, :, panel.task]
        return window_means(known[group][begun:], window), window_means(success[:, begun:], window)

    axes_of = partial(_curve_axes, ticks=0.2 if shown.panels[0].task is None else 0.5, log=wide)
    figure = figure_of(results, replace(shown, notes=notes), series, axes_of, (label, "Success rate"), width)
    if figure is not None and time is not None:  # what runs reached is compared at equal times
        drawn = [axes for axes in figure.axes if axes.has_data()]  # the last row may have places that are empty
        starts, ends = zip(*(axes.get_xlim() for axes in drawn), strict=True)
        for axes in drawn:
            axes.set_xlim(min(starts), max(ends))
    return figure


learning_curves_per_task = partial(learning_curves, panels_in=task_panels, label="Steps per task")
learning_curves_by_time = partial(learning_curves, time="", label="Minutes")
learning_curves_by_cpu_time = partial(learning_curves, time=CPU_SECONDS, label="Minutes of CPU time")


def performance_profiles(results: Results, width: Width) -> Figure | None:
    """Draw the share of runs and tasks whose final success exceeds a threshold."""

    def series(_: Panel, group: Group) -> Series:
        return THRESHOLDS, performance_profile(results.final(group)[:, None, :], THRESHOLDS)

    def axes_of(axes: Axes) -> None:
        share_axis(axes)
        axes.set_ylim(-0.02, 1.02)

    labels = ("Success rate \N{GREEK SMALL LETTER TAU}", "Share of runs above \N{GREEK SMALL LETTER TAU}")
    shown = panels_of(results)
    height = 0.0 if compares_methods(results.experiment) else 1.5
    return figure_of(results, shown, series, axes_of, labels, width, height, drawstyle="steps-post")


def mask_churn(results: Results, width: Width) -> Figure | None:
    """Draw how much of the masks each update replaced: a panel for each update interval, a line for each ratio."""
    training, shown = results.experiment.training, masked_variants(results)
    epochs = training.epochs
    found = [
        Panel([*title, *parts([("update_interval", str(interval))])], lines_of(each, interval))
        for each, title in zip(shown, variant_titles(shown), strict=True)
        for interval in each.intervals
        if interval is not None and interval <= epochs
    ]

    def series(_: Panel, group: Group) -> Series | None:
        read = [] if group.dense else [read_mask_churn(run.directory / table("train")) for run in group.finished]
        if not read or not len(read[0][0]):
            return None
        return read[0][0] / len(group.tasks), np.stack([churn for _, churn in read])

    def axes_of(axes: Axes) -> None:
        _count_axis(axes)
        axes.set_xlim(0, (epochs + training.pretrain_epochs) * training.epoch_frames)  # there may be a single update
        axes.set_ylim(bottom=0, auto=True)  # panels share the axis, and those that follow may be higher

    full = Panels(found, ratio_looks(shown), columns_for)
    labels = ("Environment steps per task", "Share of masks replaced")
    return figure_of(results, full, series, axes_of, labels, width, 1.5)


def _minutes(group: Group, time: str) -> FloatArray:
    """Return the minutes (E,) until each evaluation, means over the runs; NaN where one of them did not log them."""
    minutes: FloatArray = np.mean([seconds_of(run, time)[run.alike] for run in group.finished], axis=0) / 60
    return minutes


def _notes_on_times(results: Results, unknown: int) -> list[str]:
    """Return notes on what times mix besides the settings, and on how many settings have none."""
    mixed = mixed_in_times(results, "kinds of processors")
    notes = [f"times of {mixed}"] if mixed else []
    return [*notes, f"without {count_of(unknown, 'setting')} whose runs did not log them"] if unknown else notes


def _differ_widely(times: Sequence[FloatArray]) -> bool:
    """Return whether settings that took such times (E,) need a logarithmic axis, and can be drawn on one."""
    ends = [x[-1] for x in times]
    return bool(ends) and max(ends) > _WIDE * min(ends) and all(len(x) > 1 and x[1] > 0 for x in times)


def share_axis(axes: Axes) -> None:
    """Set the x axis for a share, from 0 to 1 with few labels."""
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])


def _curve_axes(axes: Axes, ticks: float, log: bool) -> None:
    _count_axis(axes, log)
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_locator(MultipleLocator(ticks))


def _count_axis(axes: Axes, log: bool = False) -> None:
    """Set the x axis for steps or minutes: from 0, or from the first on if it is logarithmic; 500, 20k or 1.5M."""
    if log:
        axes.set_xscale("log")
        axes.autoscale(axis="x", tight=True)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    else:
        axes.set_xlim(0, axes.dataLim.xmax if axes.has_data() else 1)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))
