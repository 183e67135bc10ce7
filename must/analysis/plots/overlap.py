"""Mask overlap between tasks, as heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from must.analysis.labels import count_of, short_task_names
from must.analysis.load import Results
from must.analysis.logs import FloatArray, read_final_overlap
from must.analysis.plots.panels import grid_columns, variant_titles
from must.analysis.statistics import independent_overlap
from must.analysis.style import LINE_HEIGHT, ONE_COLUMN, PAGE, SMALL, TWO_COLUMNS, text_width, titles_height, wrap_title
from must.analysis.variants import all_ratios, ratio_of, variants

_NAMED = 12
"""Most tasks whose names stand at the axes; more are numbered, with a key below."""
_WRITTEN = 6
"""Most tasks whose overlaps are written into the cells."""
_LEAST_SPAN = 0.1
"""Least range of a colour scale: smaller differences are not to look large."""
_BAR = 0.5
"""Inches beside a heat map for its colour bar."""
_LEAST_SIDE = 1.4
"""Least side of a heat map in inches, where many of them do not fit on a page."""
_KEY_COLUMNS = 4


@dataclass(frozen=True)
class _Map:
    """One panel."""

    parts: tuple[str, ...]
    """Of the title."""
    benchmark: str
    tasks: tuple[str, ...]
    overlap: FloatArray
    """(K, K) mean over the seeds."""
    chance: float
    """Overlap of independent random masks."""


def mask_overlap(results: Results) -> Figure | None:
    """Draw the overlap |A and B| / |A or B| of the tasks' final policy masks: a panel for each pruning ratio.

    Returns:
        The figure; None when no finished run has masks of two or more tasks.
    """
    maps = _maps(results)
    if not maps:
        return None
    task_lists = {panel.tasks: panel.benchmark for panel in maps}
    named = max(map(len, task_lists)) <= _NAMED
    columns = _columns(results, len(maps), named)
    figure, panels, key = _panels(maps, columns, named, task_lists)
    for position, (axes, panel) in enumerate(zip(panels, maps, strict=True)):
        _heat_map(axes, panel)
        alone = len(task_lists) > 1
        first, last = position % columns == 0, position // columns == (len(maps) - 1) // columns
        _task_axes(axes, panel.tasks, named, rows=alone or first, columns=alone or last)
    if key is not None:
        _write_key(key, task_lists)
    return figure


def _columns(results: Results, count: int, named: bool) -> int:
    """Give the columns of panels: one for each pruning ratio if there are several variants and few ratios."""
    shown = variants(results)
    ratios = len(all_ratios(shown))
    if len(shown) > 1 and 1 < ratios <= (3 if named else 2):
        return ratios
    return grid_columns(count) if named else min(count, 2)


def _maps(results: Results) -> list[_Map]:
    """Read the masks of the groups that are shown: of each variant, one update interval."""
    shown = [variant for variant in variants(results) if variant.sparse]
    maps = []
    for variant, title in zip(shown, variant_titles(shown), strict=True):
        interval = variant.best_interval(results.experiment.report.final_evaluations)
        for group in variant.sparse_at(interval):
            found = [read_final_overlap(run.directory / "masks.csv", group.tasks) for run in group.finished]
            overlaps = [overlap for overlap in found if overlap is not None]
            if not overlaps:
                continue
            chance = independent_overlap(ratio_of(group))
            parts = (
                *title,
                f"pruning ratio {ratio_of(group):.10g}",
                f"update interval {interval}",
                count_of(len(overlaps), "seed"),
                f"by chance {chance:.2f}",
            )
            benchmark = variant.settings.get("benchmark", "")
            maps.append(_Map(parts, benchmark, group.tasks, np.mean(overlaps, axis=0), chance))
    return maps


def _panels(
    maps: list[_Map], columns: int, named: bool, task_lists: dict[tuple[str, ...], str]
) -> tuple[Figure, list[Axes], Axes | None]:
    """Give a figure with a square panel for each map, and a place for the key where tasks are numbered."""
    rows = -(-len(maps) // columns)
    names = [name for tasks in task_lists for name in short_task_names(tasks)]
    margin = 0.15 + (max(map(text_width, names)) if named else 0.1)
    across, down = (columns * margin, rows * margin) if len(task_lists) > 1 else (margin, margin)
    key = [] if named else [sum(LINE_HEIGHT * (2 - (-len(tasks) // _KEY_COLUMNS)) for tasks in task_lists)]
    width = ONE_COLUMN if len(maps) == 1 else TWO_COLUMNS
    side = (width - across) / columns - _BAR
    for _ in range(2):  # The height of the titles limits the side, and the side the width of the titles.
        titles = [wrap_title(panel.parts, side + 0.5 * _BAR) for panel in maps]
        title_height = titles_height(titles) + 0.15
        side = min(side, max(_LEAST_SIDE, (PAGE - down - sum(key)) / rows - title_height))
    size = (columns * (side + _BAR) + across, rows * (side + title_height) + down + sum(key))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.add_gridspec(rows + len(key), columns, height_ratios=[*[side] * rows, *key])
    panels = [figure.add_subplot(grid[divmod(i, columns)], title=title) for i, title in enumerate(titles)]
    return figure, panels, figure.add_subplot(grid[-1, :]) if key else None


def _heat_map(axes: Axes, panel: _Map) -> None:
    """Draw one panel with its colour bar.

    The diagonal is 1 by definition; it is left blank, so that the scale is that of the others.
    """
    count = len(panel.tasks)
    values = np.where(np.eye(count, dtype=bool), np.nan, panel.overlap)
    low, high = min(float(np.nanmin(values)), panel.chance), max(float(np.nanmax(values)), panel.chance)
    widen = max(0.0, _LEAST_SPAN - (high - low)) / 2
    low, high = low - widen, high + widen
    colormap = mpl.colormaps["viridis"].with_extremes(bad="0.9")
    image = axes.imshow(values, cmap=colormap, vmin=low, vmax=high, interpolation="nearest")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    if count <= _WRITTEN:
        for i, j in np.argwhere(~np.isnan(values)):
            color = "white" if values[i, j] < (low + high) / 2 else "black"
            axes.text(j, i, f"{values[i, j]:.2f}", ha="center", va="center", size=SMALL, color=color)
    bar = axes.figure.colorbar(image, cax=axes.inset_axes((1.03, 0.0, 0.045, 1.0)))
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=1.5, pad=1.5)


def _task_axes(axes: Axes, tasks: Sequence[str], named: bool, rows: bool, columns: bool) -> None:
    """Name the tasks of rows and columns where asked to, or number them."""
    axes.tick_params(length=0)
    if named:
        names = short_task_names(tasks)
        axes.set_yticks(range(len(tasks)), names if rows else [""] * len(tasks))
        axes.set_xticks(range(len(tasks)), names if columns else [""] * len(tasks), rotation=90)
    else:
        shown = [0, *range(4, len(tasks), 5)]
        axes.set_yticks(shown, [str(i + 1) for i in shown])
        axes.set_xticks(shown, [str(i + 1) for i in shown])


def _write_key(axes: Axes, task_lists: dict[tuple[str, ...], str]) -> None:
    """Write number and name of every task, in columns read downwards; a block for each list of tasks."""
    axes.set_axis_off()
    blocks: list[list[str]] = [[] for _ in range(_KEY_COLUMNS)]
    for tasks, benchmark in task_lists.items():
        entries = [f"{i}  {name}" for i, name in enumerate(short_task_names(tasks), start=1)]
        rows = -(-len(entries) // _KEY_COLUMNS)
        for column, block in enumerate(blocks):
            title = [benchmark if column == 0 else ""] if len(task_lists) > 1 else []
            part = entries[column * rows : (column + 1) * rows]
            block += [*title, *part, *[""] * (rows - len(part))]
    for column, block in enumerate(blocks):
        text = "\n".join(block)
        axes.text(column / _KEY_COLUMNS, 1, text, ha="left", va="top", size=SMALL, transform=axes.transAxes)
