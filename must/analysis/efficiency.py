"""Figures of what a setting costs: success over the FLOPs of an action, and training speed over density."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator
from matplotlib.transforms import offset_copy

from must.analysis.curves import draw_lines
from must.analysis.measures import Ranked, ranked
from must.analysis.notes import figure_note
from must.analysis.settings import first_tick, lowest_of
from must.analysis.statistics import MIN_SEEDS
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
from must.data import Results
from must.data.blocks import blocks_of
from must.data.costs import cost_of
from must.data.names import CONTROL_LABEL, ratio_label, short_number
from must.data.variants import variant_titles, variants

_BESIDE = 1.06
"""Where names stand beside a panel, as a share of its width."""
_NAMES = 0.42
"""Share of the figure's width that the names may take; longer ones are broken into lines."""
_STEP = 4.5
"""Points of print between two settings of the same cost."""
_LOG = 3.0
"""Greatest ratio of two costs at which the axis is linear."""


class _Point(NamedTuple):
    """A setting in a figure of costs."""

    name: str
    """As it stands beside the panel, in one or more lines."""
    row: Ranked

    @property
    def lines(self) -> int:
        """Of its name."""
        return 1 + self.name.count("\n")

    @property
    def flops(self) -> float:
        """Of an action."""
        return _flops(self.row)


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
    blocks, titles, notes = list[list[_Point]](), [], [figure_note(results)]
    room = int((PAGE - 0.9) / len(blocks_of(results)) / LINE_HEIGHT)
    for block in blocks_of(results):
        rows = [row for row in ranked(results, block.groups) if row.rank and not math.isnan(_flops(row))]
        named = list(map(_Point, _names(rows, _NAMES * inches(1, width)), rows))
        ends = np.cumsum([point.lines for point in named])
        kept = [point for point, end in zip(named, ends, strict=True) if end <= room]
        if kept:
            blocks.append(kept)
            titles.append(block.title.split(", ") if block.title else [])
        if len(kept) < len(rows):
            notes.append(f"the best {len(kept)} of {len(rows)} settings")
    if not blocks:
        return None
    heights = [max(1.9, LINE_HEIGHT * sum(point.lines for point in points) + 0.4) for points in blocks]
    figure, axes = panels(titles, 1, heights, width)
    for place, points, height in zip(axes, blocks, heights, strict=True):
        _draw(figure, place, points, height - 0.4)
        if any(_side_by_side(points)):
            notes.append("side by side where costs are equal")
    axes[-1].set_xlabel("FLOPs per action")
    looks = dict(_kind(point.row) for points in blocks for point in points)
    legend_below(figure, looks, "Settings", list(dict.fromkeys(notes)), "points")
    return figure


def _flops(row: Ranked) -> float:
    return cost_of(row.group).flops_per_action


def _kind(row: Ranked) -> tuple[str, Look]:
    if row.group.is_multi_task_sac:
        return CONTROL_LABEL, DENSE
    masked = not row.group.dense and cost_of(row.group).density < 1  # a network of equal cost is dense itself
    return ("masks", MASKED) if masked else ("no masks", UNMASKED)


def _names(rows: Sequence[Ranked], width: float) -> list[str]:
    """Return names of so many inches; where all settings share a method, those with masks without it.

    Those without masks then have its name alone, if that tells them apart.
    """
    words = [row.name.split(", ") for row in rows]
    if len({row.group.config.method for row in rows}) == 1:
        plain = sum(row.group.dense for row in rows)
        words = [
            (each[:1] if plain == 1 else each) if row.group.dense else each[1:] or each
            for row, each in zip(rows, words, strict=True)
        ]
    return [wrap_title(each, width) for each in words]


def _draw(figure: Figure, axes: Axes, points: Sequence[_Point], height: float) -> None:
    """Draw points with intervals or runs, and their names right of the panel, as near to their heights as they fit.

    Points of the same cost stand side by side.
    """
    places = [offset_copy(axes.transData, figure, x=x, units="points") for x in _side_by_side(points)]
    rows = [point.row for point in points]
    for row, place in zip(rows, places, strict=True):
        (_, look), flops = _kind(row), _flops(row)
        axes.vlines(flops, row.mean.low, row.mean.high, color=look.color, linewidth=0.8, transform=place)
        if 1 < len(row.runs) < MIN_SEEDS:
            dots: dict[str, Any] = {"s": 4, "alpha": 0.8, "linewidths": 0, "clip_on": False}
            axes.scatter([flops] * len(row.runs), row.runs, color=look.color, transform=place, **dots)
        style: dict[str, Any] = {"markersize": 4.5, "mec": "white", "mew": 0.4, "clip_on": False, "zorder": 3}
        axes.plot(flops, row.mean.value, look.marker, color=look.color, transform=place, **style)
    bottom = first_tick(min(lowest_of(row.runs) for row in rows)) - 0.02
    axes.set_ylim(bottom, 1.02)
    axes.set_ylabel("Success rate")
    _flops_axis(axes, [point.flops for point in points])
    sizes = [LINE_HEIGHT * point.lines / height for point in points]
    wanted = [(row.mean.value - bottom) / (1.02 - bottom) for row in rows]
    for (name, row), place, at in zip(points, places, apart(wanted, sizes), strict=True):
        line = {"arrowstyle": "-", "color": "0.6", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 2}
        axes.text(_BESIDE, at, name, transform=axes.transAxes, va="center", size=SMALL, linespacing=1.0)
        ends: dict[str, Any] = {"xy": (_flops(row), row.mean.value), "xytext": (_BESIDE - 0.01, at), "zorder": 1}
        axes.annotate("", **ends, xycoords=place, textcoords="axes fraction", arrowprops=line, annotation_clip=False)


def _side_by_side(points: Sequence[_Point]) -> list[float]:
    """Return by how many points of print each is moved, so that those within 1 % of another's cost do not coincide."""
    costs = [point.flops for point in points]
    moved = []
    for i, cost in enumerate(costs):
        same = [j for j, other in enumerate(costs) if abs(other - cost) <= 0.01 * cost]
        moved.append(((len(same) - 1) / 2 - same.index(i)) * _STEP)  # the best comes first, and stands on the right
    return moved


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
