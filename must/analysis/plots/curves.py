"""Learning curves: success during training."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from must.analysis.labels import heading
from must.analysis.load import Group, Results
from must.analysis.plots.panels import (
    grid_columns,
    groups_at,
    label_of,
    new_figure,
    note_of,
    panel_title,
    steps_axis,
    success_axis,
    variant_titles,
)
from must.analysis.statistics import over_runs, window_means
from must.analysis.style import ONE_COLUMN, TWO_COLUMNS, Look, legend_below, look_of, ratio_looks
from must.analysis.variants import Variant, all_ratios, variants

_MARKS = 8
"""Markers along a curve."""
_POINTS = 100
"""Most points of a curve; where there are more evaluations, each point is the mean of several in a row."""


def learning_curves(results: Results) -> Figure:
    """Draw the mean success over environment steps per task.

    There is a panel for each update interval (and variant), in it a line with the spread over seeds for each pruning
    ratio, and the dense control in every panel.
    """
    shown = variants(results)
    named = list(zip(shown, variant_titles(shown), strict=True))
    rows, columns = _grid(shown)
    width = ONE_COLUMN if columns == 1 else TWO_COLUMNS
    figure, panels = new_figure(
        width,
        0.7 + rows * (1.9 if columns < 3 else 1.6),
        rows,
        columns,
        sharey=True,
    )
    looks = ratio_looks(all_ratios(shown))
    handles: dict[str, Any] = {}
    window = -(-max(len(group.env_steps_per_task) for group in results.groups) // _POINTS)
    note = note_of(results) + (f"; points: means of {window} evaluations" if window > 1 else "")
    drawn = [(variant, title, interval) for variant, title in named for interval in variant.intervals or (None,)]
    for position, (axes, (variant, title, interval)) in enumerate(zip(panels.flat, drawn, strict=False)):
        for group in groups_at(variant, interval):
            if group.finished:
                handles[label_of(group)] = _curve(axes, group, look_of(group, looks), window)
        axes.set_title(panel_title(title, interval, width / columns - 0.3))
        steps_axis(axes, named=position + columns >= len(drawn))
    success_axis(panels)
    for axes in panels.flat[len(drawn) :]:
        axes.set_visible(False)
    legend_below(figure, handles, heading("pruning_ratio"), note)
    return figure


def _grid(shown: list[Variant]) -> tuple[int, int]:
    """Give rows and columns: a row for each variant, where there are several variants and several intervals."""
    intervals = max(len(variant.intervals) for variant in shown) or 1
    if len(shown) > 1 and 1 < intervals <= 4:
        return len(shown), intervals
    columns = grid_columns(len(shown) * intervals)
    return -(-len(shown) * intervals // columns), columns


def _curve(axes: Axes, group: Group, look: Look, window: int) -> Any:
    """Draw one group; give what stands for it in the legend."""
    spread = over_runs(window_means(group.success.mean(axis=2), window))
    steps = window_means(group.env_steps_per_task, window)
    every = max(1, len(steps) // _MARKS)
    (line,) = axes.plot(steps, spread.mean, markevery=every, clip_on=False, **look.line())
    if not np.isnan(spread.std).any():
        low, high = np.clip([spread.mean - spread.std, spread.mean + spread.std], 0, 1)
        axes.fill_between(steps, low, high, color=look.color, alpha=0.15, linewidth=0)
    return line
