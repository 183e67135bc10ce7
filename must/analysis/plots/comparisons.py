"""How settings compare over all seeds and tasks (arXiv 2108.13264)."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from must.analysis.aggregates import performance_profile, profile_band
from must.analysis.estimates import improvement, improvement_of_runs
from must.analysis.labels import differences, heading
from must.analysis.load import Results
from must.analysis.plots.panels import (
    cells_of,
    draw_points,
    draw_spread,
    grid_columns,
    label_of,
    note_of,
    share_axis,
    titled_panels,
)
from must.analysis.statistics import FloatArray
from must.analysis.style import (
    LINE_HEIGHT,
    ONE_COLUMN,
    PAGE,
    TWO_COLUMNS,
    Look,
    legend_below,
    look_of,
    ratio_looks,
    text_width,
)
from must.analysis.variants import all_ratios, ratio_of, variants

_THRESHOLDS = np.linspace(0, 1, 101)
_ROW = 1.6 * LINE_HEIGHT
"""Height of a row in inches."""
_LABELS = 0.6
"""Share of a column's width that the names of the rows may take."""
_AROUND = 1.0
"""Inches that a page must keep for the axis and the legend."""


def performance_profiles(results: Results) -> Figure:
    """Draw the share of runs and tasks whose final success exceeds a threshold.

    There is a panel for each update interval and variant, in it a line with its interval for each pruning ratio.
    """
    shown = variants(results)
    cells = cells_of(shown)
    columns = grid_columns(len(cells))
    rows = -(-len(cells) // columns)
    figure, panels = titled_panels([cell.title for cell in cells], columns, [1.5] * rows, sharey=True)
    looks = ratio_looks(all_ratios(shown))
    handles: dict[str, Any] = {}
    for position, (axes, cell) in enumerate(zip(panels, cells, strict=True)):
        for group in cell.groups:
            if not group.finished:
                continue
            handles[label_of(group)] = draw_profile(axes, results.final(group), look_of(group, looks))
        profile_axes(axes, first=position % columns == 0, last=position + columns >= len(cells))
    legend_below(figure, handles, heading("pruning_ratio"), note_of(results))
    return figure


def draw_profile(axes: Axes, final: FloatArray, look: Look) -> Any:
    """Draw the profile of (R, K) final success rates; return what stands for it in the legend."""
    band = profile_band(final, _THRESHOLDS)
    (line,) = axes.step(_THRESHOLDS, band.mean, where="post", markevery=12, clip_on=False, **look.line())
    runs = np.array([performance_profile(run[None], _THRESHOLDS) for run in final])
    draw_spread(axes, _THRESHOLDS, band, runs, look, steps=True)
    return line


def profile_axes(axes: Axes, first: bool, last: bool) -> None:
    """Set the axes of a profile, with their names where a panel is the first of its row, or the last of its column."""
    share_axis(axes)
    axes.set_ylim(-0.02, 1.02)
    if last:
        axes.set_xlabel("Success rate \N{GREEK SMALL LETTER TAU}")
    if first:
        axes.set_ylabel("Share of runs above \N{GREEK SMALL LETTER TAU}")


def improvement_over_dense(results: Results) -> Figure | None:
    """Draw the probability that a run of each setting ends better at a task than a dense run, with its interval.

    Returns:
        The figure, with the highest probabilities if a page has no room for all; None where nothing can be compared.
    """
    compared = [(group, improvement(results, group, results.control_of(group))) for group in results.groups]
    rows = [(group, interval) for group, interval in compared if not np.isnan(interval.value)]
    if not rows:
        return None
    room = int((PAGE - _AROUND) / _ROW)
    notes = [note_of(results, "value")]
    if len(rows) > room:
        kept = {id(group) for group, _ in sorted(rows, key=lambda row: -row[1].value)[:room]}
        notes.append(f"the best {room} of {len(rows)} settings")
        rows = [row for row in rows if id(row[0]) in kept]
    named = differences([group.settings for group, _ in rows]) if len(rows) > 1 else [["masks"]]
    labels = [", ".join(parts) for parts in named]
    width = ONE_COLUMN if max(map(text_width, labels)) < _LABELS * ONE_COLUMN else TWO_COLUMNS
    figure = Figure(figsize=(width, len(rows) * _ROW + _AROUND), layout="constrained")
    axes = figure.subplots()
    looks = ratio_looks(sorted({ratio_of(group) for group, _ in rows}))
    handles: dict[str, Any] = {}
    for row, (group, interval) in enumerate(rows):
        look = look_of(group, looks)
        if not np.isnan(interval.low):
            axes.plot([interval.low, interval.high], [row, row], color=look.color, linewidth=1.6, solid_capstyle="butt")
        elif len(group.finished) > 1:
            each = improvement_of_runs(results, group, results.control_of(group))
            draw_points(axes, each, np.full(len(each), row), look.color)
        (handles[label_of(group)],) = axes.plot(
            interval.value, row, **look.line() | {"linestyle": "none", "clip_on": False}
        )
    axes.axvline(0.5, color="0.4", linewidth=0.8, linestyle=(0, (4, 2)))
    axes.set_yticks(range(len(rows)), labels)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    share_axis(axes)
    axes.set_xlabel("P(better than dense)")
    legend_below(figure, handles, heading("pruning_ratio"), "; ".join(notes))
    return figure
