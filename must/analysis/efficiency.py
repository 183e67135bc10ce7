"""Figures of what a setting costs: success over the FLOPs of an action, and training speed over density."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from must.analysis.curves import draw_lines
from must.analysis.measures import by_benchmark, final_mean
from must.analysis.notes import figure_note
from must.analysis.settings import first_tick, lowest_of
from must.analysis.statistics import MIN_SEEDS, FloatArray, Interval
from must.analysis.style import (
    DENSE,
    LINE_HEIGHT,
    MASKED,
    PAGE,
    SMALL,
    UNMASKED,
    Look,
    Width,
    inches,
    legend_below,
    panels,
    ramp,
    wrap_title,
)
from must.data import Group, Results
from must.data.costs import cost_of
from must.data.names import CONTROL_LABEL, ratio_label, short_number, words_of
from must.data.variants import variant_titles, variants

_BESIDE = 1.06
"""Where names stand beside a panel, as a share of its width."""
_NAMES = 0.42
"""Share of the figure's width that the names may take; longer ones are broken into lines."""
_LOG = 3.0
"""Greatest ratio of two costs at which the axis is linear."""


class _Point(NamedTuple):
    """What is drawn of a group."""

    name: str
    kind: str
    look: Look
    flops: float
    success: Interval
    runs: FloatArray
    """(R,) final success."""

    @property
    def lines(self) -> int:
        return 1 + self.name.count("\n")


def training_speed(results: Results, width: Width) -> Figure | None:
    """Draw gradient steps a second against the share of the policy that a task uses: a line for each variant.

    A point is the mean over seeds and update intervals. None when no finished run has a log of times and sizes.
    """
    shown = variants(results)
    lines: dict[str, dict[float, list[float]]] = {}
    for variant, title in zip(shown, variant_titles(shown), strict=True):
        for group in variant.groups:
            cost, dense = cost_of(group), ratio_label(group)
            for label in ([", ".join(title) or "masks"] if variant.masked else []) + ([dense] if group.dense else []):
                if not math.isnan(cost.density + cost.gradient_steps_per_s):
                    speeds = lines.setdefault(label, {}).setdefault(cost.density, [])
                    speeds.append(cost.gradient_steps_per_s)
    if not lines:
        return None
    plain = {ratio_label(group) for variant in shown for group in variant.groups if group.dense}
    looks = ramp([label for label in lines if label not in plain], "cividis", 0.0, 0.8) | dict.fromkeys(plain, DENSE)
    figure, (axes,) = panels([[]], 1, 1.9, width)
    series = {
        label: (np.array(sorted(each)), np.array([[np.mean(each[density]) for density in sorted(each)]]))
        for label, each in lines.items()
    }
    draw_lines(axes, {label: [series[label]] for label in sorted(series, key=plain.__contains__)}, looks)
    axes.set(xlabel="Density (share of the policy that a task uses)", ylabel="Gradient steps per second")
    axes.set_xlim(0, 1.03)
    axes.set_ylim(bottom=0)
    legend_below(figure, {label: looks[label] for label in lines}, "Runs", [figure_note(results, spread=False)])
    return figure


def success_by_flops(results: Results, width: Width) -> Figure | None:
    """Draw the mean final success against the FLOPs of an action: a point for each setting, with its name beside it.

    There are the best settings if a page has no room for all. None when no finished run has a log of sizes.
    """
    room = int((PAGE - 0.9) / len(by_benchmark(results)) / LINE_HEIGHT)
    blocks, titles, notes = [], [], [figure_note(results)]
    for groups in by_benchmark(results):
        points = _points(results, groups, _NAMES * inches(1, width))
        ends = np.cumsum([point.lines for point in points])
        kept = [point for point, end in zip(points, ends, strict=True) if end <= room]
        if kept:
            blocks.append(kept)
            titles.append([title] if (title := groups[0].settings.get("benchmark", "")) else [])
        if len(kept) < len(points):
            notes.append(f"the best {len(kept)} of {len(points)} settings")
    if not blocks:
        return None
    heights = [max(1.9, LINE_HEIGHT * sum(point.lines for point in points) + 0.4) for points in blocks]
    figure, axes = panels(titles, 1, heights, width)
    for place, points, height in zip(axes, blocks, heights, strict=True):
        _draw(place, points, height - 0.4)
    axes[-1].set_xlabel("FLOPs per action")
    looks = {point.kind: point.look for points in blocks for point in points}
    legend_below(figure, looks, "Settings", list(dict.fromkeys(notes)), "points")
    return figure


def _points(results: Results, groups: Sequence[Group], width: float) -> list[_Point]:
    """Return the finished groups whose cost is known, the best first; no name holds a method that all share."""
    points, single = [], len({group.config.method for group in groups}) == 1
    for group, words in zip(groups, words_of(groups), strict=True):
        name = wrap_title((words[:1] if group.dense else words[1:] or words) if single else words, width)
        kind, look = ("no masks", UNMASKED) if group.dense else ("masks", MASKED)
        kind, look = (CONTROL_LABEL, DENSE) if group.is_multi_task_sac else (kind, look)
        flops, runs = cost_of(group).flops_per_action, results.final(group).mean(axis=1)
        if group.finished and not math.isnan(flops):
            points.append(_Point(name, kind, look, flops, final_mean(results, group), runs))
    return sorted(points, key=lambda point: -point.success.value)


def _draw(axes: Axes, points: Sequence[_Point], height: float) -> None:
    """Draw points with intervals or runs, and their names right of the panel, as near to their heights as they fit."""
    for point in points:
        color, order = point.look.color, 4 if point.look is DENSE else 3  # seen where points coincide
        axes.vlines(point.flops, point.success.low, point.success.high, color=color, linewidth=0.8)
        if 1 < len(point.runs) < MIN_SEEDS:
            dots: dict[str, Any] = {"s": 4, "alpha": 0.8, "linewidths": 0, "clip_on": False}
            axes.scatter([point.flops] * len(point.runs), point.runs, color=color, **dots)
        style: dict[str, Any] = {"markersize": 4.5, "mec": "white", "mew": 0.4, "clip_on": False, "zorder": order}
        axes.plot(point.flops, point.success.value, point.look.marker, color=color, **style)
    bottom = first_tick(min(lowest_of(point.runs) for point in points)) - 0.02
    axes.set_ylim(bottom, 1.02)
    axes.set_ylabel("Success rate")
    _flops_axis(axes, [point.flops for point in points])
    sizes = [LINE_HEIGHT * point.lines / height for point in points]
    wanted = [(point.success.value - bottom) / (1.02 - bottom) for point in points]
    for point, at in zip(points, apart(wanted, sizes), strict=True):
        line = {"arrowstyle": "-", "color": "0.6", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 2}
        axes.text(_BESIDE, at, point.name, transform=axes.transAxes, va="center", size=SMALL, linespacing=1.0)
        ends: dict[str, Any] = {"xy": (point.flops, point.success.value), "xytext": (_BESIDE - 0.01, at), "zorder": 1}
        axes.annotate("", **ends, textcoords="axes fraction", arrowprops=line, annotation_clip=False)


def _flops_axis(axes: Axes, flops: Sequence[float]) -> None:
    """Set the axis of costs, which may differ by much."""
    low, high = min(flops), max(flops)
    margin = 0.08 * (high - low) or 0.1 * high
    axes.set_xlim(low - margin, high + margin)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=3))
    if high > _LOG * low:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 30 * low else (1,)))
        axes.xaxis.set_minor_formatter(lambda *_: "")
        axes.set_xlim(low / (high / low) ** 0.08, high * (high / low) ** 0.08)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))


def apart(wanted: Sequence[float], sizes: Sequence[float]) -> list[float]:
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
