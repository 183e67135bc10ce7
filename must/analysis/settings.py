"""Figures of the final success: against a swept setting, and task by task."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, MultipleLocator, NullLocator

from must.analysis.curves import Series, draw_lines, share_axis
from must.analysis.notes import figure_note
from must.analysis.panels import mask_panels, ratio_looks
from must.analysis.statistics import MIN_SEEDS, FloatArray, interval_of_runs
from must.analysis.style import DENSE, UNCHANGED, Look, Width, columns_for, legend_below, panels, ramp
from must.data import Group, Results
from must.data.names import heading, ratio_label, short_task_names
from must.data.variants import Variant, all_intervals, masked_variants, variant_titles, variants

_DODGE = 0.018
"""Distance between two lines' error bars at the same setting, as a share of the axis."""
_NEAREST = 0.1
"""Least distance of two ticks, as a share of the axis, at which their labels stand clear of each other."""
Lines = dict[str, list[tuple[float, Group]]]
"""Label -> value of the setting and runs, from left to right."""


def success_by_pruning_ratio(results: Results, width: Width) -> Figure | None:
    """Draw final success against the pruning ratio: a line for each update interval, all from the dense control."""
    shown = masked_variants(results) or variants(results)
    looks = {"none": UNCHANGED} | ramp(map(str, all_intervals(shown)), "plasma", 0.05, 0.78)

    def lines(variant: Variant) -> Lines:
        found = {"none" if each is None else str(each): variant.at(each) for each in variant.intervals}
        return {label: [(group.pruning_ratio, group) for group in groups] for label, groups in found.items()}

    return _over_setting(results, shown, lines, looks, ("Pruning ratio", heading("update_interval")), width)


def success_by_update_interval(results: Results, width: Width) -> Figure | None:
    """Draw final success against the update interval: a line for each pruning ratio, and the control across."""
    shown = [variant for variant in masked_variants(results) if all_intervals([variant])]
    if not any(group.finished for variant in shown for group in variant.masked):
        return None

    def lines(variant: Variant) -> Lines:
        found: Lines = {f"{ratio:.10g}": [] for ratio in variant.ratios}
        for interval in all_intervals([variant]):
            for group in variant.at(interval):
                found[ratio_label(group)].append((interval, group))
        return found

    labels = ("Update interval (epochs)", heading("pruning_ratio"))
    return _over_setting(results, shown, lines, ratio_looks(shown), labels, width, across=True)


def _over_setting(
    results: Results,
    shown: Sequence[Variant],
    lines_of: Callable[[Variant], Lines],
    looks: Mapping[str, Look],
    labels: tuple[str, str],
    width: Width,
    across: bool = False,
) -> Figure:
    """Draw a panel for each variant, with one axis of success from 0, 0.2, 0.4 or 0.6 to 1, and one legend.

    The control is where all lines begin, at 0, or a line ``across`` panels whose x axis is logarithmic.
    """
    columns, drawn = columns_for(len(shown), width), dict[str, Look]()
    figure, axes = panels(variant_titles(shown), columns, 1.8, width, sharey=True)
    runs = {id(group): results.final(group).mean(axis=1) for group in results.groups if group.finished}
    bottom = first_tick(min(map(lowest_of, runs.values())))
    for at, (place, variant) in enumerate(zip(axes, shown, strict=True)):
        lines, control = lines_of(variant), variant.control
        values = {value for groups in lines.values() for value, _ in groups} | (
            {0.0} if control and not across else set()
        )
        position = dict(zip(sorted(values), setting_axis(place, sorted(values), log=across), strict=True))
        start: list[Series] = []
        if control and control.finished:
            drawn[ratio_label(control)] = DENSE._replace(marker="") if across else DENSE._replace(dashes=None)
            if across:
                _draw_across(place, runs[id(control)])
            else:
                start = [(np.array([position[0.0]]), runs[id(control)][:, None])]
        series = {}
        for number, (label, groups) in enumerate(lines.items()):
            shift = _DODGE * (number - (len(lines) - 1) / 2)  # keeps error bars at the same setting apart
            found = [(position[value] + shift, group) for value, group in groups if group.finished]
            if found:
                series[label] = [*start, *((np.array([x]), runs[id(group)][:, None]) for x, group in found)]
        drawn |= {label: looks[label] for label in series}
        if start and control:
            series[ratio_label(control)] = start
        if series:
            draw_lines(
                place, series, dict.fromkeys(series, DENSE) | dict(looks), err_style="bars", err_kws={"elinewidth": 0.8}
            )
        place.grid(axis="x", visible=False)
        place.set(xlabel=labels[0], ylabel="Success rate" if at % columns == 0 else "")
        place.set_ylim(bottom - 0.02 * (1 - bottom), 1 + 0.02 * (1 - bottom))
        place.yaxis.set_major_locator(MultipleLocator(0.1 if bottom > 0.3 else 0.2))
    legend_below(figure, drawn, labels[1], [figure_note(results)])
    return figure


def _draw_across(axes: Axes, runs: FloatArray) -> None:
    axes.axhline(float(runs.mean()), color=DENSE.color, linestyle=(0, DENSE.dashes))
    axes.axhspan(*interval_of_runs(runs), color=DENSE.color, alpha=0.1, linewidth=0)
    for run in runs if 1 < len(runs) < MIN_SEEDS else ():
        axes.axhline(run, color=DENSE.color, linewidth=0.4, alpha=0.6)


def first_tick(lowest: float) -> float:
    """Return where an axis of success begins: at 0, 0.2, 0.4 or 0.6, below the lowest value shown."""
    return min(max(math.floor(lowest / 0.2 - 1e-9) * 0.2, 0.0), 0.6)


def lowest_of(runs: FloatArray) -> float:
    """Return the lower end of what is drawn of runs: of their interval, or of the runs themselves."""
    low = interval_of_runs(runs)[0]
    return float(runs.min() if math.isnan(low) else low)


def setting_axis(axes: Axes, values: Sequence[float], log: bool = False) -> FloatArray:
    """Set the x axis for the values of a swept setting, and return the positions of the values on it.

    The axis is to scale where the labels then stand clear of each other, else the values are evenly spaced.
    """
    scaled = np.log(values) if log else np.asarray(values, dtype=float)
    positions = np.array([0.5]) if len(values) == 1 else (scaled - scaled[0]) / (scaled[-1] - scaled[0])
    if len(values) > 1 and np.diff(positions).min() < _NEAREST:
        positions = np.linspace(0, 1, len(values))
    axes.xaxis.set_major_locator(FixedLocator(positions.tolist()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{value:.10g}" for value in values])
    axes.set_xlim(-0.08, 1.08)
    return positions


def success_per_task(results: Results, width: Width) -> Figure | None:
    """Draw the final success of each task: bars by pruning ratio, a panel for each update interval and variant."""
    shown = mask_panels(results)
    cells = shown.panels
    tasks = [next(iter(cell.lines.values())).tasks for cell in cells]
    columns = max(len(variant.intervals) for variant in variants(results)) or 1
    if columns == 1 and len(set(tasks)) == 1:  # else panels in a row show the same tasks
        columns = columns_for(len(cells), width)
    bar = max(0.16, 0.06 * max(len(cell.lines) for cell in cells) + 0.04)
    heights = [max(len(each) * bar, 0.4) + 0.3 for each in tasks[::columns]]
    figure, axes = panels([cell.title for cell in cells], columns, heights, width)
    drawn: dict[str, Look] = {}
    for at, (place, cell) in enumerate(zip(axes, cells, strict=True)):
        runs = {label: results.final(group) for label, group in cell.lines.items() if group.finished}
        row = 72 * figure.get_figheight() * heights[at // columns] / sum(heights) / len(tasks[at])
        _bars(place, runs, shown.looks, short_task_names(tasks[at]), 0.8 * row / len(runs) if runs else 1)
        if at % columns:
            place.set_yticks(range(len(tasks[at])), [""] * len(tasks[at]))
        drawn |= {label: shown.looks[label] for label in runs}
    legend_below(figure, drawn, shown.legend, [figure_note(results), *shown.notes], "bars")
    return figure


def _bars(
    axes: Axes, runs: Mapping[str, FloatArray], looks: Mapping[str, Look], tasks: list[str], points: float
) -> None:
    """Draw bars of runs (R, K), so many points thick, with intervals or with the single runs."""
    frame = pd.concat(
        [
            pd.DataFrame({"task": np.tile(tasks, len(final)), "success": final.ravel()}).assign(
                line=label, few=1 < len(final) < MIN_SEEDS
            )
            for label, final in runs.items()
        ]
        or [pd.DataFrame({"task": tasks, "success": 0.0, "line": "", "few": False})]
    )
    shared: dict[str, Any] = {"x": "success", "y": "task", "hue": "line", "orient": "h", "order": tasks, "ax": axes}
    shared |= {"hue_order": list(runs), "dodge": True, "legend": False}
    palette = {label: looks[label].color for label in runs}
    line = min(0.6, 0.2 * points)
    halo = [withStroke(linewidth=2.2 * line, foreground="white")]  # seen on bars of any lightness
    bars: dict[str, Any] = {"saturation": 1, "edgecolor": "white", "linewidth": 0.2, "capsize": 0}
    errors = {"color": "black", "linewidth": line, "path_effects": halo}
    sns.barplot(frame, **shared, palette=palette, errorbar=interval_of_runs, err_kws=errors, **bars)
    if frame["few"].any():
        dots: dict[str, Any] = {"size": min(2.0, 0.6 * points), "edgecolor": "white", "linewidth": 0.3, "jitter": False}
        black = dict.fromkeys(runs, "black")
        sns.stripplot(frame[frame["few"]], **shared, palette=black, clip_on=False, zorder=3, **dots)
    share_axis(axes)
    axes.set(xlabel="Success rate", ylabel="")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
