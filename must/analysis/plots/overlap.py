"""Mask overlap between tasks, as heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from must.analysis.labels import count_of, short_task_names
from must.analysis.load import Group, Results
from must.analysis.logs import FloatArray, read_final_overlap, read_overlaps
from must.analysis.plots.panels import grid_columns, variant_titles
from must.analysis.statistics import independent_overlap
from must.analysis.style import LINE_HEIGHT, ONE_COLUMN, PAGE, SMALL, TWO_COLUMNS, text_width, titles_height, wrap_title
from must.analysis.variants import all_ratios, interval_of, masked_variants, ratio_of
from must.run_files import table

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
_ROWS = 4
"""Most variants that are shown over the training."""
_TALL = 3
"""Most rows of heat maps with a key below them, before they are made smaller to stand closer."""
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
    scale: tuple[float, float]
    """Lowest and highest overlap that the colours are made for."""


def mask_overlap(results: Results) -> Figure | None:
    """Draw the overlap |A and B| / |A or B| of the tasks' final policy masks: a panel for each pruning ratio.

    Of each variant the update interval with the highest success is shown. Tasks that share much stand together.

    Returns:
        The figure; None when no finished run has masks of two or more tasks.
    """
    shown = [variant for variant in masked_variants(results) if variant.masked[0].config.spec.task_masks]
    maps = []
    for variant, title in zip(shown, variant_titles(shown), strict=True):
        interval = variant.best_interval(results.experiment.report.final_evaluations)
        for group in variant.at(interval):
            found = [read_final_overlap(run.directory / table("masks"), group.tasks) for run in group.finished]
            overlaps = [overlap for overlap in found if overlap is not None]
            if overlaps:
                mean = np.mean(overlaps, axis=0)
                maps.append(_Map(_parts(title, group), _benchmark(group), group.tasks, mean, _scale(group, [mean])))
    ratios = len(all_ratios(shown))
    few = 3 if _named(maps) else 2
    columns = ratios if len(shown) > 1 and 1 < ratios <= few else _any_columns(maps)
    if not _named(maps) and len(maps) > _TALL * columns:
        columns = 3
    return _draw(maps, columns) if maps else None


def mask_overlap_over_training(results: Results) -> Figure | None:
    """Draw the overlap of the tasks' policy masks in the first, the middle and the last mask set of the training.

    There is a row for each variant (for the best of them, where a page has no room for all), with the colours of its
    three panels to the same scale. Shown is the setting with the highest final success.

    Returns:
        The figure; None when no finished run has masks of two or more tasks.
    """
    shown = [variant for variant in masked_variants(results) if variant.masked[0].config.learns_masks]
    rows = []
    for variant, title in zip(shown, variant_titles(shown), strict=True):
        group = max(variant.masked, key=lambda group: (len(group.finished) > 0, results.mean_final(group)))
        read = [read_overlaps(run.directory / table("masks"), group.tasks) for run in group.finished]
        if read and len(read[0][0]):
            epochs, overlaps = read[0][0], np.mean([overlap for _, overlap in read], axis=0)
            rows.append((results.mean_final(group), title, group, epochs, overlaps))
    kept = sorted(sorted(range(len(rows)), key=lambda row: -rows[row][0])[:_ROWS])
    maps = []
    for _, title, group, epochs, overlaps in (rows[row] for row in kept):
        chosen = sorted({0, len(epochs) // 2, len(epochs) - 1})
        scale = _scale(group, overlaps[chosen])
        for version in chosen:
            parts = (f"from epoch {epochs[version]:.0f}", *_parts(title, group))
            maps.append(_Map(parts, _benchmark(group), group.tasks, overlaps[version], scale))
    columns = max((len({0, len(row[3]) // 2, len(row[3]) - 1}) for row in rows), default=1)
    return _draw(maps, columns) if maps else None


def _benchmark(group: Group) -> str:
    return group.settings.get("benchmark", "")


def _parts(title: Sequence[str], group: Group) -> tuple[str, ...]:
    """Return the parts of a panel's title."""
    interval = interval_of(group)
    return (
        *title,
        f"pruning ratio {ratio_of(group):.10g}",
        *([] if interval is None else [f"update interval {interval}"]),
        count_of(len(group.finished), "seed"),
        f"by chance {independent_overlap(ratio_of(group)):.2f}",
    )


def _scale(group: Group, overlaps: Sequence[FloatArray]) -> tuple[float, float]:
    """Return the ends of a colour scale: what is drawn, and the overlap of independent random masks."""
    others = ~np.eye(len(group.tasks), dtype=bool)
    values = np.append([overlap[others] for overlap in overlaps], independent_overlap(ratio_of(group)))
    low, high = float(values.min()), float(values.max())
    widen = max(0.0, _LEAST_SPAN - (high - low)) / 2
    return low - widen, high + widen


def _named(maps: Sequence[_Map]) -> bool:
    """Return whether the tasks are few enough to stand at the axes by name."""
    return max((len(panel.tasks) for panel in maps), default=0) <= _NAMED


def _any_columns(maps: Sequence[_Map]) -> int:
    return grid_columns(len(maps)) if _named(maps) else min(len(maps), 2)


def _draw(maps: Sequence[_Map], columns: int) -> Figure:
    """Draw the panels row by row."""
    maps = _clustered(maps)
    named = _named(maps)
    task_lists = {panel.tasks: panel.benchmark for panel in maps}
    figure, panels, key = _panels(maps, columns, named, task_lists)
    for position, (axes, panel) in enumerate(zip(panels, maps, strict=True)):
        _heat_map(axes, panel)
        alone = len(task_lists) > 1
        first, last = position % columns == 0, position // columns == (len(maps) - 1) // columns
        _task_axes(axes, panel.tasks, named, rows=alone or first, columns=alone or last)
    if key is not None:
        _write_key(key, task_lists)
    return figure


def _clustered(maps: Sequence[_Map]) -> list[_Map]:
    """Order the tasks so that those that share much stand together, in all panels with the same tasks alike."""
    orders = {}
    for tasks in dict.fromkeys(panel.tasks for panel in maps):
        overlap = np.mean([panel.overlap for panel in maps if panel.tasks == tasks], axis=0)
        distance = squareform(1 - overlap, checks=False)
        ordered = hierarchy.linkage(distance, "average", optimal_ordering=True) if len(tasks) > 2 else None
        orders[tasks] = np.arange(len(tasks)) if ordered is None else hierarchy.leaves_list(ordered)
    return [
        replace(
            panel,
            tasks=tuple(panel.tasks[i] for i in orders[panel.tasks]),
            overlap=panel.overlap[np.ix_(orders[panel.tasks], orders[panel.tasks])],
        )
        for panel in maps
    ]


def _panels(
    maps: Sequence[_Map], columns: int, named: bool, task_lists: dict[tuple[str, ...], str]
) -> tuple[Figure, list[Axes], Axes | None]:
    """Return a figure with a square panel for each map, and a place for the key where tasks are numbered."""
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
    low, high = panel.scale
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
