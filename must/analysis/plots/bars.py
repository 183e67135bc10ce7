"""Final success of each task, as bars."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from must.analysis.labels import heading, short_task_names
from must.analysis.load import Group, Results
from must.analysis.plots.panels import (
    SUCCESS,
    error_limits,
    grid_columns,
    groups_at,
    label_of,
    new_figure,
    note_of,
    panel_title,
    variant_titles,
)
from must.analysis.statistics import final_success, over_runs
from must.analysis.style import ONE_COLUMN, PAGE, TWO_COLUMNS, Look, legend_below, look_of, ratio_looks
from must.analysis.variants import Variant, all_ratios, variants

_FILLED = 0.82
"""Share of a task's row that its bars take."""
_AROUND = 0.7
"""Inches that a page must keep for titles and legend."""


def success_per_task(results: Results) -> Figure:
    """Draw the final success of each task: bars by pruning ratio, a panel for each update interval and variant."""
    shown = variants(results)
    named = zip(shown, variant_titles(shown), strict=True)
    cells = [(variant, title, interval) for variant, title in named for interval in variant.intervals or (None,)]
    columns = _columns(shown)
    heights = [_height(cells[first][0]) for first in range(0, len(cells), columns)]
    width = ONE_COLUMN if columns == 1 else TWO_COLUMNS
    figure, panels = new_figure(
        width,
        0.5 + sum(heights) + 0.45 * len(heights),
        len(heights),
        columns,
        height_ratios=heights,
    )
    looks = ratio_looks(all_ratios(shown))
    handles: dict[str, Any] = {}
    for position, (axes, (variant, title, interval)) in enumerate(zip(panels.flat, cells, strict=False)):
        handles |= _bars(axes, results, groups_at(variant, interval), looks)
        axes.set_title(panel_title(title, interval, width / columns - 0.3))
        _axes(axes, short_task_names(variant.tasks), named=position % columns == 0)
    for axes in panels.flat[len(cells) :]:
        axes.set_visible(False)
    legend_below(figure, handles, heading("pruning_ratio"), note_of(results))
    return figure


def _columns(shown: list[Variant]) -> int:
    """Give the columns: the update intervals, or variants of one interval; panels in a row show the same tasks."""
    intervals = max(len(variant.intervals) for variant in shown) or 1
    if intervals > 1 or len({variant.tasks for variant in shown}) > 1:
        return intervals
    return grid_columns(len(shown))


def _height(variant: Variant) -> float:
    """Give the height of a variant's panels in inches: enough for bars and labels, and no more than a page."""
    row = max(0.16, 0.06 * (len(variant.ratios) + (variant.dense is not None)) + 0.04)
    return min(max(len(variant.tasks) * row, 0.4), PAGE - _AROUND)


def _bars(axes: Axes, results: Results, groups: tuple[Group, ...], looks: dict[float, Look]) -> dict[str, Any]:
    """Draw the bars of a panel, the control on top; give label -> what stands for it in the legend."""
    thickness = _FILLED / len(groups)
    handles: dict[str, Any] = {}
    for slot, group in enumerate(groups):
        if not group.finished:
            continue
        spread = over_runs(final_success(group.success, results.experiment.report.final_evaluations))
        y = np.arange(len(group.tasks)) - _FILLED / 2 + thickness * (slot + 0.5)
        color = look_of(group, looks).color
        handles[label_of(group)] = axes.barh(y, spread.mean, thickness, color=color, edgecolor="white", linewidth=0.2)
        if not np.isnan(spread.std).any():
            limits = error_limits(spread)
            for color, thick in (("white", 1.3), ("black", 0.6)):  # Seen on bars of any lightness.
                axes.errorbar(spread.mean, y, xerr=limits, fmt="none", ecolor=color, elinewidth=thick, capsize=0)
    return handles


def _axes(axes: Axes, tasks: list[str], named: bool) -> None:
    """Set the axes of a panel: tasks from top to bottom, success from 0 to 1."""
    axes.set_yticks(range(len(tasks)), tasks if named else [""] * len(tasks))
    axes.set_ylim(len(tasks) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    axes.set_xlabel(SUCCESS)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
