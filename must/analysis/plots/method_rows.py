"""Figures of several methods as rows, the best on top: all settings of all methods in one look."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from must.analysis.aggregates import Interval
from must.analysis.costs import cost_of
from must.analysis.estimates import improvement_of_runs
from must.analysis.labels import short_task_names
from must.analysis.load import Results
from must.analysis.plots.panels import draw_points, note_of, share_axis
from must.analysis.ranking import Ranked, ranked
from must.analysis.statistics import FloatArray
from must.analysis.style import LINE_HEIGHT, MASKED, ONE_COLUMN, PAGE, SMALL, TWO_COLUMNS, text_width
from must.analysis.tables.rows import by_benchmark

_ROW = 1.7 * LINE_HEIGHT
"""Height of a row in inches."""
_AROUND = 0.6
"""Inches of each block for its axis and title."""
_NOTE = 0.2
"""Inches of the figure for its note."""
_WRITTEN = 12
"""Most tasks whose success rates are written into the cells."""
_LABELS = 0.45
"""Share of a column's width that the names of the rows may take."""
_LEAST_LEFT = 0.8
"""The axis of success begins here at the latest: small differences are not to look large."""
_CONTROL = "0.45"


class _Block(NamedTuple):
    """What is shown of the groups on the same tasks."""

    benchmark: str
    rows: list[Ranked]


def method_comparison(results: Results) -> Figure | None:
    """Draw the ranking: mean (and interquartile mean) of the final success, probability of being better than MT-SAC."""
    blocks, notes = _blocks(results)
    compared = any(not math.isnan(row.improvement.value) for block in blocks for row in block.rows)
    figure, grid = _figure(blocks, 2 if compared else 1)
    runs = {id(row.group): results.final(row.group).mean(axis=1) for block in blocks for row in block.rows}
    lowest = min(
        min(_lower(row.mean), row.middle.value, runs[id(row.group)].min()) for block in blocks for row in block.rows
    )
    for block, panels in zip(blocks, grid, strict=True):
        middles = [row.middle.value for row in block.rows]
        hollow: dict[str, Any] = {
            "marker": "o",
            "linestyle": "none",
            "markerfacecolor": "none",
            "markeredgecolor": "0.1",
        }
        panels[0].plot(
            middles, range(len(middles)), **hollow, markersize=6, markeredgewidth=0.7, clip_on=False, zorder=3.5
        )
        _points(
            panels[0], results, block, [row.mean for row in block.rows], [runs[id(row.group)] for row in block.rows]
        )
        panels[0].set_xlim(min(_LEAST_LEFT, max(0.0, math.floor(10 * lowest - 1e-9) / 10)), 1)
        panels[0].xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
        panels[0].set_xlabel("Mean final success (ring: interquartile mean)")
        if compared:
            each = [improvement_of_runs(results, row.group, results.control_of(row.group)) for row in block.rows]
            _points(panels[1], results, block, [row.improvement for row in block.rows], each)
            panels[1].axvline(0.5, color="0.4", linewidth=0.8, linestyle=(0, (4, 2)))
            panels[1].set_xlabel("P(better than MT-SAC)")
            share_axis(panels[1])
    _note(figure, [note_of(results, "value"), *notes])
    return figure


def method_speed(results: Results) -> Figure | None:
    """Draw gradient steps a second of each method and setting, the fastest on top.

    Returns:
        The figure; None when no finished run has a log of times.
    """
    blocks, notes = _blocks(results, lambda row: cost_of(row.group).gradient_steps_per_s)
    if not blocks:
        return None
    figure, grid = _figure(blocks, 1)
    for block, (axes,) in zip(blocks, grid, strict=True):
        speeds = [cost_of(row.group).gradient_steps_per_s for row in block.rows]
        _points(axes, results, block, [Interval(speed, math.nan, math.nan) for speed in speeds])
        axes.set_xlim(left=0)
        axes.set_xlabel("Gradient steps per second")
    _note(figure, [note_of(results, spread=False), *notes])
    return figure


def method_success_per_task(results: Results) -> Figure | None:
    """Draw the final success of each task as a heat map: a row for each method and setting, the best on top."""
    names = max(text_width(name) for group in results.groups for name in short_task_names(group.tasks))
    blocks, notes = _blocks(results, below=names)
    figure, grid = _figure(blocks, 1, names, wide=True)
    for block, (axes,) in zip(blocks, grid, strict=True):
        tasks = block.rows[0].group.tasks
        values = np.array([results.final(row.group).mean(axis=0) for row in block.rows])
        image = axes.imshow(values, cmap="viridis", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        axes.set_xticks(range(len(tasks)), short_task_names(tasks), rotation=90)
        axes.tick_params(axis="x", length=0)
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        if len(tasks) <= _WRITTEN:
            for i, j in np.ndindex(*values.shape):
                color = "white" if values[i, j] < 0.6 else "black"
                axes.text(j, i, f"{values[i, j]:.2f}", ha="center", va="center", size=SMALL, color=color)
        bar = figure.colorbar(image, ax=axes, pad=0.01, fraction=0.03, aspect=30)
        bar.set_label("Success rate")
        bar.outline.set_visible(False)
    _note(figure, [note_of(results, spread=False), *notes])
    return figure


def _blocks(
    results: Results, value: Callable[[Ranked], float] | None = None, below: float = 0.0
) -> tuple[list[_Block], list[str]]:
    """Return the finished groups of each benchmark, the best first, and notes on them.

    Args:
        results: The runs.
        value: What is ranked, if it is not the final success; groups without it are left out.
        below: Inches for names below each panel.
    """
    blocks = []
    for groups in by_benchmark(results):
        rows = [row for row in ranked(results, groups) if row.rank is not None]
        if value is not None:
            rows = sorted((row for row in rows if not math.isnan(value(row))), key=lambda row: -value(row))
        if rows:
            blocks.append(_Block(groups[0].settings.get("benchmark", ""), rows))
    room = int(((PAGE - _NOTE) / max(1, len(blocks)) - _AROUND - below) / _ROW)
    cut = [f"the best {room} of {len(block.rows)} settings" for block in blocks if len(block.rows) > room]
    return [_Block(block.benchmark, block.rows[:room]) for block in blocks], list(dict.fromkeys(cut))


def _figure(
    blocks: Sequence[_Block], columns: int, below: float = 0.0, wide: bool = False
) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure with a row of panels for each block, whose rows have names.

    Args:
        blocks: What is shown.
        columns: Panels side by side.
        below: Inches for names below each panel.
        wide: Whether the figure takes both columns of a page in any case.
    """
    names = max(text_width(row.name) for block in blocks for row in block.rows)
    narrow = columns == 1 and not wide and names < _LABELS * ONE_COLUMN
    heights = [len(block.rows) * _ROW for block in blocks]
    size = (ONE_COLUMN if narrow else TWO_COLUMNS, sum(heights) + len(blocks) * (_AROUND + below) + _NOTE)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(blocks), columns, squeeze=False, height_ratios=heights)
    for block, panels in zip(blocks, grid, strict=True):
        for position, axes in enumerate(panels):
            labels = [row.name if position == 0 else "" for row in block.rows]
            axes.set_yticks(range(len(labels)), labels)
            axes.set_ylim(len(labels) - 0.5, -0.5)
            axes.tick_params(axis="y", length=0)
        panels[0].set_title(block.benchmark)
    return figure, [list(panels) for panels in grid]


def _points(
    axes: Axes, results: Results, block: _Block, values: Sequence[Interval], runs: Sequence[FloatArray] = ()
) -> None:
    """Draw values with their intervals, or with the single runs where there are too few: a row for each.

    Args:
        axes: Where to draw.
        results: The runs.
        block: The rows.
        values: A value for each row.
        runs: Of each row the values (R,) of its runs, if they are to be drawn at all.
    """
    for row, (place, value) in enumerate(zip(block.rows, values, strict=True)):
        control = results.control_of(place.group) is place.group
        color, marker = (_CONTROL, "D") if control else (MASKED.color, "o")
        if not math.isnan(value.low):
            axes.plot([value.low, value.high], [row, row], color=color, linewidth=1.6, solid_capstyle="butt")
        elif runs and len(runs[row]) > 1:
            draw_points(axes, runs[row], np.full(len(runs[row]), row), color)
        if not math.isnan(value.value):
            point: dict[str, Any] = {"color": color, "marker": marker, "markeredgecolor": "white"}
            axes.plot(value.value, row, **point, markeredgewidth=0.4, markersize=4.5, clip_on=False, zorder=3)


def _lower(interval: Interval) -> float:
    return interval.value if math.isnan(interval.low) else interval.low


def _note(figure: Figure, notes: Sequence[str]) -> None:
    """Describe below all panels what is drawn."""
    figure.supxlabel("; ".join(notes), size=mpl.rcParams["legend.fontsize"], color="0.3")
