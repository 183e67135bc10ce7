"""What the panels of the figures have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, MultipleLocator, NullLocator

from must.analysis.labels import differences, parts
from must.analysis.load import Group, Results
from must.analysis.notes import coverage_note, seeds_note
from must.analysis.statistics import FloatArray, Spread
from must.analysis.style import wrap_title
from must.analysis.variants import Variant, ratio_of

SUCCESS = "Success rate"
_NEAREST = 0.1
"""Least distance of two ticks, as a share of the axis, at which their labels stand clear of each other."""


def new_figure(width: float, height: float, rows: int, columns: int, **subplots: Any) -> tuple[Figure, np.ndarray]:
    """Give a figure of a size in inches and its (rows, columns) panels."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **subplots)


def grid_columns(count: int) -> int:
    """Give the columns in which panels of equal standing are set: three, or two for four of them."""
    return 2 if count == 4 else min(count, 3)


def groups_at(variant: Variant, interval: int | None) -> tuple[Group, ...]:
    """Give the groups of a panel: the control, then those of an update interval by ascending pruning ratio."""
    sparse = variant.sparse_at(interval) if interval is not None else ()
    return (variant.dense, *sparse) if variant.dense else sparse


def label_of(group: Group) -> str:
    """Name a group in a legend of pruning ratios."""
    return "dense" if group.dense else f"{ratio_of(group):.10g}"


def note_of(results: Results) -> str:
    """Say what the spread is, and how much of the sweep is shown when it is not all."""
    return "; ".join(part for part in (seeds_note(results.groups), coverage_note(results)) if part)


def variant_titles(shown: Sequence[Variant]) -> list[list[str]]:
    """Name variants by the settings that set them apart; a single one needs no name."""
    return differences([variant.settings for variant in shown])


def panel_title(variant_title: list[str], interval: int | None, width: float) -> str:
    """Name a panel of a width in inches by its variant and update interval, as far as it has them."""
    return wrap_title(
        [*variant_title, *([] if interval is None else parts([("update_interval", str(interval))]))], width
    )


def success_axis(panels: np.ndarray, lowest: float = 0.0) -> None:
    """Set the y axes of (rows, columns) panels for success rates, named once for all.

    Args:
        panels: The panels.
        lowest: Lowest value shown; the axis ends at 1 and begins below it, at 0, 0.2, 0.4 or 0.6.
    """
    bottom = min(max(np.floor(lowest / 0.2 - 1e-9) * 0.2, 0.0), 0.6)
    margin = 0.02 * (1 - bottom)
    for axes in panels.flat:
        axes.set_ylim(bottom - margin, 1 + margin)
        axes.yaxis.set_major_locator(MultipleLocator(0.1 if bottom > 0.3 else 0.2))
    for axes in panels[:, 0]:
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
    """Set the x axis for the values of a swept setting, and give the positions of the values on it.

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


def error_limits(spread: Spread) -> FloatArray:
    """Give (2, ...) lengths of error bars, which end where success rates do, at 0 and 1; 0 without a spread."""
    std = np.nan_to_num(spread.std)
    return np.stack([np.minimum(std, spread.mean), np.minimum(std, 1 - spread.mean)])
