"""Final success against what an action costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from must.analysis.aggregates import Interval
from must.analysis.costs import cost_of
from must.analysis.estimates import final_mean
from must.analysis.load import Group, Results
from must.analysis.plots.panels import SUCCESS, draw_points, note_of, short_number, titled_panels
from must.analysis.ranking import words_of
from must.analysis.style import (
    CONTROL_LABEL,
    DENSE,
    LINE_HEIGHT,
    MASKED,
    ONE_COLUMN,
    PAGE,
    SMALL,
    UNMASKED,
    Look,
    legend_below,
    wrap_title,
)
from must.analysis.tables.rows import by_benchmark

_NAMES = 0.42
"""Share of the figure's width that the names may take; longer ones are broken into lines."""
_BESIDE = 1.06
"""Where names begin, as a share of a panel's width."""
_LEAST = 1.9
"""Least height of a panel in inches."""
_AROUND = 0.9
"""Inches of a page for titles, the axis and the legend."""
_LOG = 3.0
"""Greatest ratio of two costs at which the axis is linear."""


class _Point(NamedTuple):
    """What is drawn of a group."""

    name: str
    group: Group
    flops: float
    success: Interval


def success_by_flops(results: Results) -> Figure | None:
    """Draw the mean final success against the FLOPs of an action: a point for each setting, with its name beside it.

    Returns:
        The figure, with the best settings if a page has no room for all; None when no finished run has a log of sizes.
    """
    blocks = [
        (groups[0].settings.get("benchmark", ""), _points_of(results, groups)) for groups in by_benchmark(results)
    ]
    blocks = [(benchmark, points) for benchmark, points in blocks if points]
    if not blocks:
        return None
    room = (PAGE - _AROUND) / len(blocks)
    kept = [_best(points, int(room / LINE_HEIGHT)) for _, points in blocks]
    notes = [
        f"the best {len(shown)} of {len(points)} settings"
        for (_, points), shown in zip(blocks, kept, strict=True)
        if len(shown) < len(points)
    ]
    heights = [max(_LEAST, LINE_HEIGHT * sum(map(_lines, points)) + 0.4) for points in kept]
    figure, panels = titled_panels([[benchmark] if benchmark else [] for benchmark, _ in blocks], 1, heights)
    handles: dict[str, Any] = {}
    for axes, points, height in zip(panels, kept, heights, strict=True):
        for point in points:
            label, look = _kind(point.group)
            handles[label] = _draw(axes, results, point, look)
        _axes(axes, [point.flops for point in points], _lowest(results, points))
        _write_names(axes, points, height - 0.4)
    panels[-1].set_xlabel("FLOPs per action")
    legend_below(figure, handles, "Settings", "; ".join([note_of(results), *dict.fromkeys(notes)]))
    return figure


def _points_of(results: Results, groups: Sequence[Group]) -> list[_Point]:
    """Return the points of finished groups whose cost is known, under names that leave out a method that all share."""
    words = words_of(groups)
    methods = {group.config.method for group in groups}
    if len(methods) == 1:
        words = [parts[:1] if group.dense else parts[1:] or parts for group, parts in zip(groups, words, strict=True)]
    return [
        _Point(
            wrap_title(parts, _NAMES * ONE_COLUMN), group, cost_of(group).flops_per_action, final_mean(results, group)
        )
        for group, parts in zip(groups, words, strict=True)
        if group.finished and not math.isnan(cost_of(group).flops_per_action)
    ]


def _best(points: list[_Point], lines: int) -> list[_Point]:
    """Return the most successful points, the best first, as many as have room in lines of names."""
    ordered = sorted(points, key=lambda point: -point.success.value)
    return [point for point, end in zip(ordered, np.cumsum([*map(_lines, ordered)]), strict=True) if end <= lines]


def _lines(point: _Point) -> int:
    return 1 + point.name.count("\n")


def _kind(group: Group) -> tuple[str, Look]:
    """Return what kind of setting this is, and its look."""
    if group.is_multi_task_sac:
        return CONTROL_LABEL, DENSE
    return ("no masks", replace(UNMASKED, marker="s")) if group.dense else ("masks", MASKED)


def _runs(results: Results, point: _Point) -> np.ndarray:
    """Return the final success of the runs (R,) of a group without an interval; nothing of one that has one."""
    runs = results.final(point.group).mean(axis=1)
    return runs if math.isnan(point.success.low) and len(runs) > 1 else np.zeros(0)


def _draw(axes: Axes, results: Results, point: _Point, look: Look) -> Any:
    """Draw a point with its interval, or with its runs; return what stands for it in the legend."""
    runs = _runs(results, point)
    draw_points(axes, np.full(len(runs), point.flops), runs, look.color)
    if not math.isnan(point.success.low):
        axes.plot([point.flops] * 2, point.success[1:], color=look.color, linewidth=0.8)
    order = 4 if look is DENSE else 3  # seen where points coincide
    style = look.line() | {"linestyle": "none", "markersize": 4.5, "zorder": order}
    (handle,) = axes.plot(point.flops, point.success.value, clip_on=False, **style)
    return handle


def _lowest(results: Results, points: Sequence[_Point]) -> float:
    """Return the lowest success that is drawn."""
    bounds = [point.success.value if math.isnan(point.success.low) else point.success.low for point in points]
    return float(min([*bounds, *np.concatenate([_runs(results, point) for point in points])]))


def _axes(axes: Axes, flops: Sequence[float], lowest: float) -> None:
    """Set the axes: success up to 1, and costs that may differ by much."""
    bottom = min(max(math.floor(lowest / 0.2 - 1e-9) * 0.2, 0.0), 0.6)
    axes.set_ylim(bottom - 0.02, 1.02)
    axes.set_ylabel(SUCCESS)
    low, high = min(flops), max(flops)
    if high > _LOG * low:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 30 * low else (1,)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        margin = (high / low) ** 0.08
        axes.set_xlim(low / margin, high * margin)
    else:
        margin = 0.08 * (high - low) or 0.1 * high
        axes.set_xlim(low - margin, high + margin)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=3))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))


def _write_names(axes: Axes, points: Sequence[_Point], height: float) -> None:
    """Write the names of points, the best first, right of a panel of a height in inches, each with a line to its point.

    Names stand at the height of their points as far as they do not meet.
    """
    bottom, top = axes.get_ylim()
    sizes = [LINE_HEIGHT * _lines(point) / height for point in points]
    wanted = [(point.success.value - bottom) / (top - bottom) for point in points]
    for point, at in zip(points, _apart(wanted, sizes), strict=True):
        axes.text(_BESIDE, at, point.name, transform=axes.transAxes, va="center", size=SMALL, linespacing=1.0)
        axes.annotate(
            "",
            xy=(point.flops, point.success.value),
            xytext=(_BESIDE - 0.01, at),
            textcoords="axes fraction",
            arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 2},
            annotation_clip=False,
            zorder=1,
        )


def _apart(wanted: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Return places for things of these sizes, one below the other between 1 and 0, near to where they are wanted."""
    places: list[float] = []
    edge = 1.0
    for at, size in zip(wanted, sizes, strict=True):
        places.append(min(at, edge - size / 2))
        edge = places[-1] - size / 2
    edge = 0.0
    for i in reversed(range(len(places))):
        places[i] = max(places[i], edge + sizes[i] / 2)
        edge = places[i] + sizes[i] / 2
    return places
