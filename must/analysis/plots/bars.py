"""Final success of each task, as bars."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from must.analysis.aggregates import mean_band
from must.analysis.labels import heading, short_task_names
from must.analysis.load import Group, Results
from must.analysis.plots.panels import (
    SUCCESS,
    cells_of,
    error_limits,
    grid_columns,
    label_of,
    note_of,
    share_axis,
    titled_panels,
)
from must.analysis.style import PAGE, Look, legend_below, look_of, ratio_looks
from must.analysis.variants import Variant, all_ratios, variants

_FILLED = 0.82
"""Share of a task's row that its bars take."""
_AROUND = 0.7
"""Inches that a page must keep for titles and legend."""


def success_per_task(results: Results) -> Figure:
    """Draw the final success of each task: bars by pruning ratio, a panel for each update interval and variant."""
    shown = variants(results)
    cells = cells_of(shown)
    columns = _columns(shown)
    heights = [_height(cells[first].variant) for first in range(0, len(cells), columns)]
    figure, panels = titled_panels([cell.title for cell in cells], columns, heights)
    looks = ratio_looks(all_ratios(shown))
    handles: dict[str, Any] = {}
    for position, (axes, cell) in enumerate(zip(panels, cells, strict=True)):
        row = 72 * heights[position // columns] / len(cell.variant.tasks)
        handles |= _bars(axes, results, cell.groups, looks, row)
        _axes(axes, short_task_names(cell.variant.tasks), named=position % columns == 0)
    legend_below(figure, handles, heading("pruning_ratio"), note_of(results))
    return figure


def _columns(shown: list[Variant]) -> int:
    """Return the columns: the update intervals, or variants of one interval; panels in a row show the same tasks."""
    intervals = max(len(variant.intervals) for variant in shown) or 1
    if intervals > 1 or len({variant.tasks for variant in shown}) > 1:
        return intervals
    return grid_columns(len(shown))


def _height(variant: Variant) -> float:
    """Return the height of a variant's panels in inches: enough for bars and labels, and no more than a page."""
    row = max(0.16, 0.06 * (len(variant.ratios) + (variant.control is not None)) + 0.04)
    return min(max(len(variant.tasks) * row, 0.4) + 0.3, PAGE - _AROUND)


def _bars(
    axes: Axes, results: Results, groups: tuple[Group, ...], looks: dict[float, Look], row: float
) -> dict[str, Any]:
    """Draw the bars of a panel, the control on top, in rows of a height in points.

    Returns:
        Label -> what stands for it in the legend.
    """
    thickness = _FILLED / len(groups)
    line = min(0.6, 0.2 * thickness * row)
    handles: dict[str, Any] = {}
    for slot, group in enumerate(groups):
        if not group.finished:
            continue
        final = results.final(group)
        band = mean_band(final[:, None, :])
        y = np.arange(len(group.tasks)) - _FILLED / 2 + thickness * (slot + 0.5)
        color = look_of(group, looks).color
        handles[label_of(group)] = axes.barh(y, band.mean, thickness, color=color, edgecolor="white", linewidth=0.2)
        if not np.isnan(band.low).any():
            limits = error_limits(band)
            for color, width in (("white", 2.2 * line), ("black", line)):  # Seen on bars of any lightness.
                axes.errorbar(band.mean, y, xerr=limits, fmt="none", ecolor=color, elinewidth=width, capsize=0)
        elif len(final) > 1:
            size = min(4.0, (0.6 * thickness * row) ** 2)
            style: dict[str, Any] = {"color": "black", "edgecolors": "white", "linewidths": 0.3, "clip_on": False}
            axes.scatter(final, np.broadcast_to(y, final.shape), s=size, zorder=3, **style)
    return handles


def _axes(axes: Axes, tasks: list[str], named: bool) -> None:
    """Set the axes of a panel: tasks from top to bottom, success from 0 to 1."""
    axes.set_yticks(range(len(tasks)), tasks if named else [""] * len(tasks))
    axes.set_ylim(len(tasks) - 0.5, -0.5)
    share_axis(axes)
    axes.set_xlabel(SUCCESS)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
