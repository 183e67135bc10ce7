"""Final success against a swept setting: the pruning ratio, or the update interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from must.analysis.aggregates import MIN_SEEDS, Band, mean_band
from must.analysis.labels import heading
from must.analysis.load import Group, Results
from must.analysis.plots.panels import (
    draw_points,
    error_limits,
    grid_columns,
    label_of,
    note_of,
    setting_axis,
    success_axis,
    titled_panels,
    variant_titles,
)
from must.analysis.statistics import FloatArray
from must.analysis.style import (
    DENSE,
    UNCHANGED,
    Look,
    interval_looks,
    legend_below,
    ratio_looks,
)
from must.analysis.variants import Variant, all_intervals, all_ratios, masked_variants, ratio_of, variants

_DODGE = 0.018
"""Distance between two lines' error bars at the same setting, as a share of the axis."""

Panel = Callable[[Axes, Variant], dict[str, Any]]
"""Draws a variant, and gives label -> what stands for it in the legend."""


def success_by_pruning_ratio(results: Results) -> Figure:
    """Draw final success against the pruning ratio: a line for each update interval, all from the dense control."""
    shown = masked_variants(results) or variants(results)
    looks: dict[int | None, Look] = {None: UNCHANGED}
    looks |= interval_looks(all_intervals(shown)).items()

    def draw(axes: Axes, variant: Variant) -> dict[str, Any]:
        ratios = [*([0.0] if variant.control else []), *variant.ratios]
        place = dict(zip(ratios, setting_axis(axes, ratios), strict=True))
        axes.set_xlabel("Pruning ratio")
        handles: dict[str, Any] = {}
        control = _final(results, [variant.control] if variant.control else [])
        for interval, shift in zip(variant.intervals, _dodge(len(variant.intervals)), strict=True):
            groups = [group for group in variant.at(interval) if group.finished]
            if not groups:
                continue
            x = np.array([place[ratio_of(group)] for group in groups]) + shift
            band = _final(results, groups)
            if control.mean.size:
                line_x, line_y = np.r_[place[0.0], x], np.r_[control.mean, band.mean]
                axes.plot(line_x[:2], line_y[:2], **looks[interval].line() | {"marker": ""})
            handles["none" if interval is None else str(interval)] = _points(axes, x, band, looks[interval])
            _draw_runs(axes, results, x, groups, looks[interval])
        if variant.control and control.mean.size:
            handles[label_of(variant.control)] = _points(
                axes, np.array([place[0.0]]), control, replace(DENSE, dashes="none")
            )
            _draw_runs(axes, results, np.array([place[0.0]]), [variant.control], DENSE)
        return handles

    return _figure(results, shown, draw, heading("update_interval"))


def success_by_update_interval(results: Results) -> Figure | None:
    """Draw final success against the update interval: a line for each pruning ratio, and the control across.

    Returns:
        The figure; None when no run with masks is finished.
    """
    shown = [variant for variant in masked_variants(results) if all_intervals([variant])]
    if not any(group.finished for variant in shown for group in variant.masked):
        return None
    looks = ratio_looks(all_ratios(shown))

    def draw(axes: Axes, variant: Variant) -> dict[str, Any]:
        intervals = all_intervals([variant])
        place = dict(zip(intervals, setting_axis(axes, intervals, log=True), strict=True))
        axes.set_xlabel("Update interval (epochs)")
        handles: dict[str, Any] = {}
        control = _final(results, [variant.control] if variant.control else [])
        if variant.control and control.mean.size:
            below, above = error_limits(control)[:, 0]
            level = float(control.mean[0])
            handles[label_of(variant.control)] = axes.axhline(level, color=DENSE.color, linestyle=DENSE.dashes)
            axes.axhspan(level - below, level + above, color=DENSE.color, alpha=0.1, linewidth=0)
            for run in _runs_without_interval(results, variant.control):
                axes.axhline(run, color=DENSE.color, linewidth=0.4, alpha=0.6)
        for ratio, shift in zip(variant.ratios, _dodge(len(variant.ratios)), strict=True):
            groups = [group for group in variant.masked_with(ratio) if group.finished]
            if groups:
                x = np.array([place[group.config.masks.update_interval] for group in groups]) + shift
                handles[f"{ratio:.10g}"] = _points(axes, x, _final(results, groups), looks[ratio])
                _draw_runs(axes, results, x, groups, looks[ratio])
        return handles

    return _figure(results, shown, draw, heading("pruning_ratio"))


def _figure(results: Results, shown: list[Variant], draw: Panel, legend: str) -> Figure:
    """Draw a panel for each variant, and one legend."""
    columns = grid_columns(len(shown))
    rows = -(-len(shown) // columns)
    figure, panels = titled_panels(variant_titles(shown), columns, [1.8] * rows, sharey=True)
    handles: dict[str, Any] = {}
    for axes, variant in zip(panels, shown, strict=True):
        handles |= draw(axes, variant)
        axes.grid(axis="x", visible=False)
    success_axis(panels, columns, lowest=_lowest(results))
    legend_below(figure, handles, legend, note_of(results))
    return figure


def _lowest(results: Results) -> float:
    """Return the lower end of all error bars, and of all points."""
    band = _final(results, results.groups)
    runs = np.concatenate([_runs_without_interval(results, group) for group in results.groups])
    return float(min([*(band.mean - error_limits(band)[0]), *runs]))


def _final(results: Results, groups: Sequence[Group]) -> Band:
    """Return the final success, averaged over tasks, of the groups with finished runs: arrays (groups,)."""
    bands = [mean_band(results.final(group)[..., None]) for group in groups if group.finished]
    return Band(*np.concatenate([np.zeros((3, 0)), *bands], axis=1))


def _points(axes: Axes, x: np.ndarray, band: Band, look: Look) -> Any:
    """Draw a line through means with error bars; return what stands for it in the legend."""
    axes.errorbar(x, band.mean, yerr=error_limits(band), fmt="none", ecolor=look.color, elinewidth=0.8)
    (line,) = axes.plot(x, band.mean, clip_on=False, zorder=3, **look.line())
    return line


def _runs_without_interval(results: Results, group: Group) -> FloatArray:
    """Return the final success of each of several runs (R,) that are too few for an interval; else nothing (0,)."""
    runs = results.final(group).mean(axis=1)
    return runs if 1 < len(runs) < MIN_SEEDS else np.zeros(0)


def _draw_runs(axes: Axes, results: Results, x: FloatArray, groups: Sequence[Group], look: Look) -> None:
    """Draw the runs of groups that have no interval, each group at its x."""
    for at, group in zip(x, groups, strict=True):
        runs = _runs_without_interval(results, group)
        draw_points(axes, np.full(len(runs), at), runs, look.color)


def _dodge(count: int) -> np.ndarray:
    """Return small shifts that keep `count` error bars at the same setting apart."""
    return _DODGE * (np.arange(count) - (count - 1) / 2)
