"""Learning curves: success during training."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from must.analysis.aggregates import mean_band
from must.analysis.labels import heading
from must.analysis.load import Group, Results
from must.analysis.plots.panels import (
    cells_of,
    draw_spread,
    grid_columns,
    label_of,
    note_of,
    steps_axis,
    success_axis,
    titled_panels,
)
from must.analysis.statistics import window_means
from must.analysis.style import Look, legend_below, look_of, ratio_looks
from must.analysis.variants import Variant, all_ratios, variants

_MARKS = 8
"""Markers along a curve."""
_POINTS = 100
"""Most points of a curve; where there are more evaluations, each point is the mean of several in a row."""


def learning_curves(results: Results) -> Figure:
    """Draw the mean success over environment steps per task.

    There is a panel for each update interval (and variant), in it a line with its interval for each pruning
    ratio, and the dense control in every panel.
    """
    shown = variants(results)
    cells = cells_of(shown)
    columns = _columns(shown)
    row = 1.8 if columns < 3 else 1.5
    figure, panels = titled_panels(
        [cell.title for cell in cells], columns, [row] * -(-len(cells) // columns), sharey=True
    )
    looks = ratio_looks(all_ratios(shown))
    window = window_of(results)
    handles: dict[str, Any] = {}
    for position, (axes, cell) in enumerate(zip(panels, cells, strict=True)):
        for group in cell.groups:
            if group.finished:
                handles[label_of(group)] = draw_curve(axes, group, look_of(group, looks), window)
        steps_axis(axes, named=position + columns >= len(cells))
    success_axis(panels, columns)
    legend_below(figure, handles, heading("pruning_ratio"), "; ".join([note_of(results), *window_note(window)]))
    return figure


def window_of(results: Results) -> int:
    """Return how many evaluations make a point of a curve."""
    return -(-max(len(group.env_steps_per_task) for group in results.groups) // _POINTS)


def window_note(window: int) -> list[str]:
    """Describe what the points of a curve are, if they are not evaluations."""
    return [f"points: means of {window} evaluations"] if window > 1 else []


def _columns(shown: list[Variant]) -> int:
    """Return the columns: the intervals, where there are several variants and several intervals."""
    intervals = max(len(variant.intervals) for variant in shown) or 1
    return intervals if len(shown) > 1 and 1 < intervals <= 4 else grid_columns(len(shown) * intervals)


def draw_curve(axes: Axes, group: Group, look: Look, window: int, task: int | None = None) -> Any:
    """Draw one group, its mean over the tasks or a single task; return what stands for it in the legend."""
    success = np.moveaxis(group.success, 1, 2) if task is None else group.success[:, None, :, task]
    success = window_means(success, window)
    band = mean_band(success)
    steps = window_means(group.env_steps_per_task, window)
    every = max(1, len(steps) // _MARKS)
    (line,) = axes.plot(steps, band.mean, markevery=every, clip_on=False, **look.line())
    draw_spread(axes, steps, band, success.mean(axis=1), look)
    return line
