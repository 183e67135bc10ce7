"""Figures of values in rows, one for each setting: the ranking of methods, speed, improvement."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from must.analysis.curves import share_axis
from must.analysis.measures import Ranked, improvement, improvement_of_runs, ranked
from must.analysis.notes import figure_note
from must.analysis.panels import ratio_looks
from must.analysis.settings import lowest_of
from must.analysis.statistics import FloatArray, Interval
from must.analysis.style import (
    LINE_HEIGHT,
    MASKED,
    ONE_COLUMN,
    PAGE,
    SMALL,
    Width,
    inches,
    legend_below,
    text_width,
    wrap_text,
    wrap_title,
)
from must.data import Results
from must.data.blocks import blocks_of
from must.data.costs import cost_of
from must.data.names import differences, heading, ratio_label, short_task_names
from must.data.variants import variants

ROW = 1.7 * LINE_HEIGHT
"""Height of a row in inches."""
_AROUND, _NOTE = 0.6, 0.2
"""Inches of each block for its axis and title, and of the figure for its note."""
_LABELS = 0.45
"""Share of a column's width that the names of the rows may take."""
_LEAST_LEFT = 0.8
"""The axis of success begins here at the latest: small differences are not to look large."""
_WRITTEN = 12
"""Most tasks whose success rates are written into the cells."""

Rows = list[Ranked]
"""The finished groups of a block, in the order of the rows."""


def method_comparison(results: Results, width: Width) -> Figure | None:
    """Draw the ranking: mean (and interquartile mean) of the final success, probability of being better than MT-SAC."""
    blocks, notes = _blocks(results)
    every = [row for block in blocks.values() for row in block]
    compared = any(not math.isnan(row.improvement.value) for row in every)
    figure, grid = _rows(blocks, 2 if compared else 1, width)
    low = min(min(row.middle.value, lowest_of(row.runs)) for row in every)
    low = min(_LEAST_LEFT, max(0.0, math.floor(10 * low - 1e-9) / 10))
    narrow = figure.get_figwidth() <= ONE_COLUMN
    note, gap = ("IQM", "\n") if narrow else ("interquartile mean", " ")
    ring: dict[str, Any] = {"markerfacecolor": "none", "markeredgecolor": "0.1", "markeredgewidth": 0.7}
    for block, (first, *rest) in zip(blocks.values(), grid, strict=True):
        middles = [row.middle.value for row in block]
        first.plot(middles, range(len(block)), "o", markersize=6, clip_on=False, zorder=3.5, **ring)
        draw_rows(first, [row.mean for row in block], [row.runs for row in block], _looks(results, block))
        first.set_xlim(low, 1)
        first.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
        first.set_xlabel(f"Mean final success{gap}(ring: {note})")
        for axes in rest:
            each = [improvement_of_runs(results, row.group, results.control_of(row.group)) for row in block]
            draw_rows(axes, [row.improvement for row in block], each, _looks(results, block))
            _half(axes, f"P(better than{gap}MT-SAC)")
    return _noted(figure, [figure_note(results, "value"), *notes])


def method_speed(results: Results, width: Width) -> Figure | None:
    """Draw gradient steps a second of each method and setting, the fastest on top, where there is a log of times."""
    blocks, notes = _blocks(results, lambda row: cost_of(row.group).gradient_steps_per_s)
    if not blocks:
        return None
    figure, grid = _rows(blocks, 1, width)
    for block, (axes,) in zip(blocks.values(), grid, strict=True):
        speeds = [Interval(cost_of(row.group).gradient_steps_per_s, math.nan, math.nan) for row in block]
        draw_rows(axes, speeds, [], _looks(results, block))
        axes.set_xlim(left=0)
        axes.set_xlabel("Gradient steps per second")
    return _noted(figure, [figure_note(results, spread=False), *notes])


def method_success_per_task(results: Results, width: Width) -> Figure | None:
    """Draw the final success of each task as a heat map: a row for each method and setting, the best on top."""
    below = max(text_width(name) for group in results.groups for name in short_task_names(group.tasks))
    blocks, notes = _blocks(results, below=below)
    figure, grid = _rows(blocks, 1, "page" if width == "auto" else width, below)
    bar = {"label": "Success rate", "pad": 0.01, "fraction": 0.03, "aspect": 30}
    style: dict[str, Any] = {"fmt": ".2f", "annot_kws": {"size": SMALL}, "cbar_kws": bar, "cmap": "viridis"}
    for block, (axes,) in zip(blocks.values(), grid, strict=True):
        tasks, names = short_task_names(block[0].group.tasks), [row.name for row in block]
        style["annot"] = len(tasks) <= (_WRITTEN if figure.get_figwidth() > ONE_COLUMN else 3)
        rates = [results.final(row.group).mean(axis=0) for row in block]
        sns.heatmap(rates, ax=axes, vmin=0, vmax=1, xticklabels=tasks, yticklabels=names, **style)
        axes.tick_params(length=0, rotation=0)
        axes.tick_params(axis="x", rotation=90)
        axes.grid(visible=False)
    return _noted(figure, [figure_note(results, spread=False), *notes])


def improvement_over_dense(results: Results, width: Width) -> Figure | None:
    """Draw the probability that a run of each setting ends better at a task than a dense run, with its interval.

    There are the highest probabilities if a page has no room for all. None where nothing can be compared.
    """
    compared = [(group, improvement(results, group, results.control_of(group))) for group in results.groups]
    rows = [(group, interval) for group, interval in compared if not math.isnan(interval.value)]
    if not rows:
        return None
    room, notes = int((PAGE - 1.0) / ROW), [figure_note(results, "value")]
    if len(rows) > room:
        kept = sorted(row[1].value for row in rows)[-room]
        notes.append(f"the best {room} of {len(rows)} settings")
        rows = [row for row in rows if row[1].value >= kept][:room]
    names = [", ".join(each) for each in differences([group.settings for group, _ in rows])]
    figure, ((axes,),) = _panels({"": names if len(rows) > 1 else ["masks"]}, 1, width, below=0.2, share=0.6)
    looks, ratios = ratio_looks(variants(results)), [ratio_label(group) for group, _ in rows]
    runs = [improvement_of_runs(results, group, results.control_of(group)) for group, _ in rows]
    draw_rows(axes, [interval for _, interval in rows], runs, [looks[ratio][:2] for ratio in ratios])
    _half(axes, "P(better than dense)")
    legend_below(figure, {ratio: looks[ratio] for ratio in ratios}, heading("pruning_ratio"), notes, "points")
    return figure


def draw_rows(
    axes: Axes, values: Sequence[Interval], runs: Sequence[FloatArray], looks: Sequence[tuple[Any, str]]
) -> None:
    """Draw values with their intervals, or with the single runs where there are too few: a row for each.

    Args:
        axes: Where to draw.
        values: Of each row.
        runs: Of each row the values (R,) of its runs, if they are to be drawn at all.
        looks: Colour and marker of each row.
    """
    for at, (value, (color, marker)) in enumerate(zip(values, looks, strict=True)):
        if not math.isnan(value.low):
            axes.plot([value.low, value.high], [at, at], color=color, linewidth=1.6, solid_capstyle="butt")
        elif runs and len(runs[at]) > 1:
            dots: dict[str, Any] = {"s": 4, "alpha": 0.8, "linewidths": 0, "clip_on": False, "zorder": 2.5}
            axes.scatter(runs[at], [at] * len(runs[at]), color=color, **dots)
        if not math.isnan(value.value):
            edge: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.4, "markersize": 4.5}
            axes.plot(value.value, at, marker, color=color, clip_on=False, zorder=3, **edge)


def _looks(results: Results, block: Rows) -> list[tuple[Any, str]]:
    """Return colour and marker of each row: the control is grey."""
    return [("0.45", "D") if results.control_of(row.group) is row.group else MASKED[:2] for row in block]


def _half(axes: Axes, label: str) -> None:
    """Set the x axis for a probability, with a line at one half."""
    axes.axvline(0.5, color="0.4", linewidth=0.8, linestyle=(0, (4, 2)))
    share_axis(axes)
    axes.set_xlabel(label)


def _blocks(
    results: Results, value: Callable[[Ranked], float] | None = None, below: float = 0.0
) -> tuple[dict[str, Rows], list[str]]:
    """Return title and finished groups of each block, the best first, as many as a page has room for, and notes.

    Args:
        results: The runs.
        value: What is ranked, if it is not the final success; groups without it are left out.
        below: Inches for names below each panel.
    """
    blocks: dict[str, Rows] = {}
    for found in blocks_of(results):
        rows = [row for row in ranked(results, found.groups) if row.rank is not None]
        if value is not None:
            rows = sorted((row for row in rows if not math.isnan(value(row))), key=lambda row: -value(row))
        blocks |= {found.title: rows} if rows else {}
    room = int(((PAGE - _NOTE) / max(1, len(blocks)) - _AROUND - below) / ROW)
    cut = [f"the best {room} of {len(block)} settings" for block in blocks.values() if len(block) > room]
    return {title: block[:room] for title, block in blocks.items()}, list(dict.fromkeys(cut))


def _rows(
    blocks: Mapping[str, Rows], columns: int, width: Width, below: float = 0.0
) -> tuple[Figure, list[list[Axes]]]:
    names = {title: [row.name for row in block] for title, block in blocks.items()}
    return _panels(names, columns, width, below, _LABELS)


def _panels(
    names: Mapping[str, list[str]], columns: int, width: Width, below: float, share: float
) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure with a row of panels for each list of names, which its rows have.

    Args:
        names: Title -> of the rows.
        columns: Panels beside each other.
        width: Of the figure.
        below: Inches below each row of panels for more.
        share: How much of a column's width the names may take, where the figure may be that narrow.
    """
    longest = max(text_width(name) for block in names.values() for name in block)
    one = 1 if columns == 1 and longest < share * ONE_COLUMN else 2
    heights = [len(block) * ROW for block in names.values()]
    size = (inches(one, width), sum(heights) + len(names) * (_AROUND + below) + _NOTE)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(names), columns, squeeze=False, height_ratios=heights)
    for (title, block), panels in zip(names.items(), grid, strict=True):
        for axes in panels:
            axes.set_yticks(range(len(block)), block if axes is panels[0] else [""] * len(block))
            axes.set_ylim(len(block) - 0.5, -0.5)
            axes.tick_params(axis="y", length=0)
        panels[0].set_title(wrap_title(title.split(", "), size[0] / columns))
    return figure, [list(panels) for panels in grid]


def _noted(figure: Figure, notes: Sequence[str]) -> Figure:
    """Describe below all panels what is drawn."""
    text = wrap_text("; ".join(notes), figure)
    figure.set_figheight(figure.get_figheight() + text.count("\n") * LINE_HEIGHT)
    figure.supxlabel(text, size=SMALL, color="0.3")
    return figure
