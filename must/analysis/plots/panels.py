"""What the panels of the figures have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cbook import pts_to_poststep
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, MultipleLocator, NullLocator

from must.analysis.aggregates import Band
from must.analysis.labels import differences, method_label, parts
from must.analysis.load import Group, Results
from must.analysis.notes import coverage_note, seeds_note
from must.analysis.ranking import words_of
from must.analysis.statistics import FloatArray
from must.analysis.style import DENSE_LABEL, ONE_COLUMN, TWO_COLUMNS, Look, titles_height, wrap_title
from must.analysis.variants import Variant, ratio_of
from must.config.methods import CONTROL
from must.config.outputs import COMPARED

SUCCESS = "Success rate"
_LEGEND = 0.45
"""Inches for the legend."""
_NEAREST = 0.1
"""Least distance of two ticks, as a share of the axis, at which their labels stand clear of each other."""


@dataclass(frozen=True)
class Cell:
    """What a panel shows: the control, and the groups of one update interval (None: nothing is updated)."""

    variant: Variant
    interval: int | None
    title: list[str]

    @property
    def groups(self) -> tuple[Group, ...]:
        """The control, then the others by ascending pruning ratio."""
        others = self.variant.at(self.interval)
        return (self.variant.control, *others) if self.variant.control else others


def cells_of(shown: Sequence[Variant]) -> list[Cell]:
    """Return a panel for each variant and update interval."""
    return [
        Cell(variant, interval, [*title, *([] if interval is None else parts([("update_interval", str(interval))]))])
        for variant, title in zip(shown, variant_titles(shown), strict=True)
        for interval in variant.intervals or (None,)
    ]


def titled_panels(
    titles: Sequence[Sequence[str]], columns: int, heights: Sequence[float], **subplots: Any
) -> tuple[Figure, list[Axes]]:
    """Return a figure and a panel for each title, row by row.

    Args:
        titles: The parts of each panel's title.
        columns: Panels in a row; one makes a figure for one column of a paper, more for two.
        heights: Height of each row in inches, with the axes' labels and without the titles.
        subplots: Keywords of ``Figure.subplots``.
    """
    width = ONE_COLUMN if columns == 1 else TWO_COLUMNS
    wrapped = [wrap_title(title, width / columns - 0.3) for title in titles]
    height = sum(heights) + len(heights) * (titles_height(wrapped) + 0.1) + _LEGEND
    figure = Figure(figsize=(width, height), layout="constrained")
    grid = figure.subplots(len(heights), columns, squeeze=False, height_ratios=heights, **subplots)
    for axes, title in zip(grid.flat, wrapped, strict=False):
        axes.set_title(title)
    for axes in grid.flat[len(titles) :]:
        axes.set_visible(False)
    return figure, list(grid.flat[: len(titles)])


def grid_columns(count: int) -> int:
    """Return the columns in which panels of equal standing are set: three, or two for four of them."""
    return 2 if count == 4 else min(count, 3)


def label_of(group: Group) -> str:
    """Name a group in a legend of pruning ratios."""
    if group.dense:
        return DENSE_LABEL if group.is_multi_task_sac and group.config.method != CONTROL else method_label(group.config)
    return f"{ratio_of(group):.10g}"


def note_of(results: Results, what: str = "mean", spread: bool = True) -> str:
    """Describe what is drawn, of how many seeds, and how much of the sweep is shown if not all; see `seeds_note`."""
    return "; ".join(part for part in (seeds_note(results.groups, what, spread), coverage_note(results)) if part)


def draw_spread(axes: Axes, x: FloatArray, band: Band, runs: FloatArray, look: Look, steps: bool = False) -> None:
    """Shade the interval of a curve; where there are too few seeds for one, draw each run as a thin line.

    Args:
        axes: Where to draw.
        x: (E,)
        band: The curve, each (E,).
        runs: (R, E) the runs' own curves.
        look: That of the curve.
        steps: Whether the curve keeps a value until the next one.
    """
    if not np.isnan(band.low).any():
        shape: Any = "post" if steps else None
        axes.fill_between(x, band.low, band.high, step=shape, color=look.color, alpha=0.15, linewidth=0)
    elif len(runs) > 1:
        curves = [np.transpose(pts_to_poststep(x, run) if steps else [x, run]) for run in runs]
        axes.add_collection(LineCollection(curves, colors=[look.color], linewidths=0.45, alpha=0.55))


def draw_points(axes: Axes, x: FloatArray | float, y: FloatArray | float, color: Any) -> None:
    """Draw single runs as small points, for groups with too few seeds for an interval."""
    axes.scatter(x, y, s=4, color=color, alpha=0.8, linewidths=0, clip_on=False, zorder=2.5)


def variant_titles(shown: Sequence[Variant]) -> list[list[str]]:
    """Name variants by the settings that set them apart; a single one needs no name."""
    if len(shown) > 1 and any("variant" in variant.settings for variant in shown):
        return words_of([variant.groups[-1] for variant in shown], without=COMPARED)
    return differences([variant.settings for variant in shown])


def share_axis(axes: Axes) -> None:
    """Set the x axis for a share, from 0 to 1 with few labels."""
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])


def success_axis(panels: Sequence[Axes], columns: int, lowest: float = 0.0) -> None:
    """Set the y axes of panels for success rates, and name that of each row.

    Args:
        panels: The panels, row by row.
        columns: Panels in a row.
        lowest: Lowest value shown; the axis ends at 1 and begins below it, at 0, 0.2, 0.4 or 0.6.
    """
    bottom = min(max(np.floor(lowest / 0.2 - 1e-9) * 0.2, 0.0), 0.6)
    margin = 0.02 * (1 - bottom)
    for axes in panels:
        axes.set_ylim(bottom - margin, 1 + margin)
        axes.yaxis.set_major_locator(MultipleLocator(0.1 if bottom > 0.3 else 0.2))
    for axes in panels[::columns]:
        axes.set_ylabel(SUCCESS)


def steps_axis(axes: Axes, named: bool) -> None:
    """Set the x axis for environment steps: from 0, a few ticks, written as 500, 20k or 1.5M."""
    axes.set_xlim(0, axes.dataLim.xmax if axes.has_data() else 1)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))
    if named:
        axes.set_xlabel("Environment steps per task")


def short_number(value: float) -> str:
    """Write a count of steps shortly: 20000 as ``20k``."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:.4g}"


def setting_axis(axes: Axes, values: Sequence[float], log: bool = False) -> FloatArray:
    """Set the x axis for the values of a swept setting, and return the positions of the values on it.

    The axis is to scale where the labels then stand clear of each other, else the values are evenly spaced.
    """
    scaled = np.log(values) if log else np.asarray(values, dtype=float)
    if len(values) == 1:
        positions = np.array([0.5])
    else:
        positions = (scaled - scaled[0]) / (scaled[-1] - scaled[0])
        if np.diff(positions).min() < _NEAREST:
            positions = np.linspace(0, 1, len(values))
    axes.xaxis.set_major_locator(FixedLocator(positions.tolist()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{value:.10g}" for value in values])
    axes.set_xlim(-0.08, 1.08)
    return positions


def error_limits(band: Band) -> FloatArray:
    """Return (2, ...) lengths of error bars below and above the means; 0 without an interval."""
    return np.nan_to_num(np.stack([band.mean - band.low, band.high - band.mean])).clip(min=0)
