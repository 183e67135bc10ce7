"""Mask overlap between tasks, as heat maps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from must.analysis.statistics import FloatArray, independent_overlap
from must.analysis.style import (
    LINE_HEIGHT,
    ONE_COLUMN,
    PAGE,
    SMALL,
    TWO_COLUMNS,
    Width,
    columns_for,
    text_width,
    wrap_title,
)
from must.data import Group, Results
from must.data.logs import read_overlaps
from must.data.names import short_task_names
from must.data.variants import masked_variants, variant_titles
from must.run_files import table
from must.words import count_of

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
_KEY_COLUMNS = 4


Bounds = tuple[float, float, float, float]
"""Left, bottom, width and height."""


@dataclass(frozen=True)
class _Map:
    """One panel."""

    title: tuple[str, ...]
    """Its parts."""
    group: Group
    overlap: FloatArray
    """(K, K) mean over the seeds."""
    scale: tuple[float, float]
    """Lowest and highest overlap that the colours are made for."""


def mask_overlap(results: Results, width: Width) -> Figure | None:
    """Draw the overlap |A and B| / |A or B| of the tasks' final policy masks: a panel for each pruning ratio.

    Of each variant the update interval with the highest success is shown. Tasks that share much stand together. Panels
    of the same pruning ratio have the same scale. None when no finished run has masks of two or more tasks.
    """
    shown = [variant for variant in masked_variants(results) if variant.masked[0].config.has_task_masks]
    found = [
        (title, group, each)
        for variant, title in zip(shown, variant_titles(shown), strict=True)
        for group in variant.at(variant.best_interval(results))
        for each in _mean_overlaps(group, last=True)[1]
    ]
    alike: dict[float, list[FloatArray]] = {}
    for _, group, each in found:
        alike.setdefault(group.pruning_ratio, []).append(each)
    scales = {ratio: _scale(ratio, overlaps) for ratio, overlaps in alike.items()}
    maps = [_map(title, group, each, scales[group.pruning_ratio]) for title, group, each in found]
    named = all(len(panel.group.tasks) <= _NAMED for panel in maps)
    ratios, few, rows = len(alike), 3 if named else 2, len({tuple(title) for title, _, _ in found})
    grid = rows > 1 and len(maps) == ratios * rows  # of finished runs, all ratios of each variant
    columns = ratios if grid and 1 < ratios <= few else columns_for(len(maps), "auto", few)
    return _draw(maps, 3 if not named and len(maps) > 3 * columns else columns, width)


def mask_overlap_over_training(results: Results, width: Width) -> Figure | None:
    """Draw the overlap of the tasks' policy masks in the first, the middle and the last mask set of the training.

    There is a row for each variant (for the best of them, where a page has no room for all), with the colours of its
    three panels to the same scale. Shown is the setting with the highest final success.
    """
    shown = [variant for variant in masked_variants(results) if variant.masked[0].config.learns_masks]
    rows = []
    for variant, title in zip(shown, variant_titles(shown), strict=True):
        group = max(variant.masked, key=lambda group: (len(group.finished) > 0, results.mean_final(group)))
        epochs, overlaps = _mean_overlaps(group)
        if chosen := sorted({0, len(epochs) // 2, len(epochs) - 1}) if len(epochs) else []:
            scale = _scale(group.pruning_ratio, overlaps[chosen])
            rows.append([_map([f"from epoch {epochs[at]:.0f}", *title], group, overlaps[at], scale) for at in chosen])
    best = sorted(rows, key=lambda row: -results.mean_final(row[0].group))[:_ROWS]
    return _draw([panel for row in rows if row in best for panel in row], max(map(len, rows), default=1), width)


def _mean_overlaps(group: Group, last: bool = False) -> tuple[FloatArray, FloatArray]:
    """Return epochs (V,) and overlaps (V, K, K) of mask sets, means over the seeds; V is 0 where there are none."""
    read = [read_overlaps(run.directory / table("masks"), group.tasks, last=last) for run in group.finished]
    if not read or not len(read[0][0]):
        return np.zeros(0), np.zeros((0, len(group.tasks), len(group.tasks)))
    return read[0][0], np.mean([overlaps for _, overlaps in read], axis=0)


def _map(title: Sequence[str], group: Group, overlap: FloatArray, scale: tuple[float, float]) -> _Map:
    interval = [] if group.update_interval is None else [f"update interval {group.update_interval}"]
    seeds, chance = count_of(len(group.finished), "seed"), f"by chance {independent_overlap(group.pruning_ratio):.2f}"
    return _Map((*title, f"pruning ratio {group.pruning_ratio:.10g}", *interval, seeds, chance), group, overlap, scale)


def _scale(pruning_ratio: float, overlaps: Iterable[FloatArray]) -> tuple[float, float]:
    """Return the ends of a colour scale: the overlaps (K, K) that are drawn, and that of independent random masks."""
    others = [each[~np.eye(len(each), dtype=bool)] for each in overlaps]
    values = np.concatenate([*others, [independent_overlap(pruning_ratio)]])
    widen = max(0.0, _LEAST_SPAN - float(np.ptp(values))) / 2
    return float(values.min()) - widen, float(values.max()) + widen


def _order(maps: Sequence[_Map]) -> list[int]:
    """Order the tasks of panels with the same tasks so that those that share much stand together."""
    overlap = np.mean([panel.overlap for panel in maps], axis=0)
    if len(overlap) < 3:
        return list(range(len(overlap)))
    distance = squareform(1 - overlap, checks=False)
    return list(hierarchy.leaves_list(hierarchy.linkage(distance, "average", optimal_ordering=True)))


def _draw(maps: Sequence[_Map], columns: int, width: Width) -> Figure | None:
    """Draw square panels row by row, with their colour bars, and a key below them where tasks are numbered."""
    if not maps:
        return None
    lists = dict.fromkeys(panel.group.tasks for panel in maps)
    orders = {tasks: _order([panel for panel in maps if panel.group.tasks == tasks]) for tasks in lists}
    named, alone = max(map(len, lists)) <= _NAMED, len(lists) > 1
    columns = 1 if width == "column" else columns
    rows = -(-len(maps) // columns)
    margin = 0.15 + (max(text_width(name) for tasks in lists for name in short_task_names(tasks)) if named else 0.1)
    across, down = (columns * margin, rows * margin) if alone else (margin, margin)
    key = 0.0 if named else sum(LINE_HEIGHT * (2 - (-len(tasks) // _KEY_COLUMNS)) for tasks in lists)
    narrow = width == "column" or (width == "auto" and len(maps) == 1)
    beside = _BAR if named else _BAR + text_width("50")  # numbers stand at every panel
    side = ((ONE_COLUMN if narrow else TWO_COLUMNS) - across) / columns - beside
    side = min(side, PAGE / 2) if narrow or len(maps) > 1 else min(side, TWO_COLUMNS / 2)
    for _ in range(2):  # The height of the titles limits the side, and the side the width of the titles.
        titles = [wrap_title(panel.title, side + 0.5 * beside) for panel in maps]
        above = (1 + max(title.count("\n") for title in titles)) * 7 * 1.2 / 72 + 0.25
        side = min(side, max(_LEAST_SIDE, (PAGE - down - key) / rows - above))
    pitch = (side + beside + (margin if alone else 0), side + above + (margin if alone else 0))
    size = (columns * (side + beside) + across, rows * (side + above) + down + key)
    figure = Figure(figsize=size)  # without a layout engine: constrained layout cuts titles of square panels
    FigureCanvasAgg(figure)  # seaborn asks each panel for the sizes of its labels: for that, one renderer will do
    for at, (panel, title) in enumerate(zip(maps, titles, strict=True)):
        row, column = divmod(at, columns)
        lower_left = (margin + column * pitch[0], size[1] - row * pitch[1] - above - side)
        axes = figure.add_axes(_share(size, *lower_left, side, side), title=title)
        order, tasks = orders[panel.group.tasks], short_task_names(panel.group.tasks)
        # Numbered tasks have few labels: the first and every fifth.
        names = [tasks[i] if named else str(n + 1) if n == 0 or n % 5 == 4 else "" for n, i in enumerate(order)]
        blank = [""] * len(names)
        left, bottom = (alone or not named or edge for edge in (column == 0, at + columns >= len(maps)))
        _heat_map(axes, panel, order, names if left else blank, names if bottom else blank)
    if key:
        benchmarks = {panel.group.tasks: panel.group.settings.get("benchmark", "") for panel in maps}
        _write_key(
            figure.add_axes(_share(size, 0.1, 0.0, size[0] - 0.1, key)),
            [(benchmarks[tasks], [tasks[i] for i in order]) for tasks, order in orders.items()],
        )
    return figure


def _share(size: tuple[float, float], left: float, bottom: float, width: float, height: float) -> Bounds:
    """Return a rectangle in inches as shares of a figure."""
    return left / size[0], bottom / size[1], width / size[0], height / size[1]


def _heat_map(axes: Any, panel: _Map, order: list[int], rows: list[str], columns: list[str]) -> None:
    """Draw one panel; the diagonal is 1 by definition, and left blank, so that the scale is that of the others."""
    (low, high), count = panel.scale, len(order)
    colormap = mpl.colormaps["viridis"].with_extremes(bad="0.9")
    style: dict[str, Any] = {"annot": count <= _WRITTEN, "fmt": ".2f", "annot_kws": {"size": SMALL}, "square": True}
    style |= {"xticklabels": columns, "yticklabels": rows, "cbar_ax": axes.inset_axes((1.03, 0.0, 0.045, 1.0))}
    axes.set_facecolor("0.9")
    overlap = panel.overlap[np.ix_(order, order)]
    sns.heatmap(overlap, mask=np.eye(count, dtype=bool), ax=axes, cmap=colormap, vmin=low, vmax=high, **style)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.tick_params(axis="y", rotation=0)
    axes.tick_params(axis="x", rotation=90 if count <= _NAMED else 0)
    style["cbar_ax"].tick_params(length=1.5, pad=1.5)


def _write_key(axes: Any, lists: Sequence[tuple[str, list[str]]]) -> None:
    """Write number and name of every task, in columns read downwards; a block for each benchmark."""
    axes.set_axis_off()
    for column in range(_KEY_COLUMNS):
        lines = []
        for benchmark, tasks in lists:
            entries = [f"{number}  {name}" for number, name in enumerate(short_task_names(tasks), start=1)]
            rows = -(-len(entries) // _KEY_COLUMNS)
            part = entries[column * rows : (column + 1) * rows]
            lines += [benchmark * (column == 0)] * (len(lists) > 1) + part + [""] * (rows - len(part))
        axes.text(column / _KEY_COLUMNS, 1, "\n".join(lines), va="top", size=SMALL, transform=axes.transAxes)
