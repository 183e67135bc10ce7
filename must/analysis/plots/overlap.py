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
from must.analysis.plots.panels import new_figure, variant_titles
from must.analysis.statistics import independent_overlap
from must.analysis.style import ONE_COLUMN, SMALL, TWO_COLUMNS
from must.analysis.variants import ratio_of, variants

_NAMED = 12
"""Most tasks whose names stand at the axes; more are numbered, with a key below."""
_WRITTEN = 6
"""Most tasks whose overlaps are written into the cells."""
_LEAST_SPAN = 0.1
"""Least range of a colour scale: smaller differences are not to look large."""


@dataclass(frozen=True)
class _Map:
    """One panel."""

    title: str
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
    count = max(len(panel.tasks) for panel in maps)
    named = count <= _NAMED
    columns = min(len(maps), 3 if named and len(maps) != 4 else 2)
    rows = -(-len(maps) // columns)
    width = ONE_COLUMN if len(maps) == 1 else TWO_COLUMNS
    side = (width - (0.9 if named else 0.3)) / columns - 0.45
    key_lines = [] if named else _key(max((panel.tasks for panel in maps), key=len))
    height = rows * (side + 0.55) + (0.8 if named else 0.25) + 0.105 * len(key_lines)
    figure, panels = new_figure(width, height, rows, columns)
    for axes, panel in zip(panels.flat, maps, strict=False):
        _heat_map(axes, panel)
    for position, axes in enumerate(panels.flat):
        below = position + columns < len(maps)
        _task_axes(axes, maps[min(position, len(maps) - 1)].tasks, first=position % columns == 0, last=not below)
        axes.set_visible(position < len(maps))
    if key_lines:
        figure.supxlabel("\n".join(key_lines), fontsize=SMALL, family="DejaVu Sans Mono", ha="center")
    return figure


def _maps(results: Results) -> list[_Map]:
    """Read the masks of the groups that are shown: of each variant, one update interval."""
    shown = [variant for variant in variants(results) if variant.sparse]
    maps = []
    for variant, title in zip(shown, variant_titles(shown), strict=True):
        interval = variant.best_interval(results.experiment.report.final_evaluations)
        for group in variant.sparse_at(interval):
            found = [read_final_overlap(run.directory / "masks.csv", group.tasks) for run in group.finished]
            overlaps = [overlap for overlap in found if overlap is not None]
            if overlaps:
                lines = [title] if title else []
                lines.append(f"pruning ratio {ratio_of(group):.10g}, update interval {interval}")
                lines.append(count_of(len(overlaps), "seed"))
                overlap = np.mean(overlaps, axis=0)
                maps.append(_Map("\n".join(lines), group.tasks, overlap, independent_overlap(ratio_of(group))))
    return maps


def _heat_map(axes: Axes, panel: _Map) -> None:
    """Draw one panel, its colour bar beside it with a line at chance.

    The diagonal is 1 by definition; it is left blank, so that the scale is that of the others.
    """
    count = len(panel.tasks)
    values = np.where(np.eye(count, dtype=bool), np.nan, panel.overlap)
    low, high = min(float(np.nanmin(values)), panel.chance), max(float(np.nanmax(values)), panel.chance)
    high = max(high, low + _LEAST_SPAN)
    colormap = mpl.colormaps["viridis"].with_extremes(bad="0.9")
    image = axes.imshow(values, cmap=colormap, vmin=low, vmax=high, interpolation="nearest")
    axes.set_title(panel.title)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    if count <= _WRITTEN:
        for i, j in np.argwhere(~np.isnan(values)):
            dark = values[i, j] < (low + high) / 2
            axes.text(j, i, f"{values[i, j]:.2f}", ha="center", va="center", size=SMALL, color="w" if dark else "k")
    bar_axes = axes.inset_axes((1.03, 0.0, 0.045, 1.0))
    bar = axes.figure.colorbar(image, cax=bar_axes)
    bar.outline.set_visible(False)
    bar.ax.axhline(panel.chance, color="red", linewidth=1.2)
    bar.ax.tick_params(length=1.5, pad=1.5)


def _task_axes(axes: Axes, tasks: Sequence[str], first: bool, last: bool) -> None:
    """Name the tasks at the left and lower edge of the figure, or number them in every panel."""
    count = len(tasks)
    axes.tick_params(length=0)
    if count <= _NAMED:
        names = short_task_names(tasks)
        axes.set_yticks(range(count), names if first else [])
        axes.set_xticks(range(count), names if last else [], rotation=90)
    else:
        shown = [0, *range(4, count, 5)]
        axes.set_yticks(shown, [str(i + 1) for i in shown])
        axes.set_xticks(shown, [str(i + 1) for i in shown])


def _key(tasks: Sequence[str]) -> list[str]:
    """Give the lines of a key, number -> task, in columns read downwards."""
    entries = [f"{i} {name}" for i, name in enumerate(short_task_names(tasks), start=1)]
    columns = 4
    rows = -(-len(entries) // columns)
    width = max(map(len, entries)) + 2
    return ["".join(entry.ljust(width) for entry in entries[row::rows]) for row in range(rows)]
