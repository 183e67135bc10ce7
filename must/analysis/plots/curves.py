"""Learning curves: success during training."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from must.analysis.labels import heading
from must.analysis.load import Group, Results
from must.analysis.plots.panels import (
    groups_at,
    label_of,
    new_figure,
    note_of,
    panel_title,
    steps_axis,
    success_axis,
    variant_titles,
)
from must.analysis.statistics import over_runs
from must.analysis.style import ONE_COLUMN, TWO_COLUMNS, Look, legend_below, look_of, ratio_looks
from must.analysis.variants import Variant, all_ratios, variants

_MARKS = 8
"""Markers along a curve."""


def learning_curves(results: Results) -> Figure:
    """Draw the mean success over environment steps per task.

    There is a panel for each update interval (and variant), in it a line with the spread over seeds for each pruning
    ratio, and the dense control in every panel.
    """
    shown = variants(results)
    named = list(zip(shown, variant_titles(shown), strict=True))
    rows, columns = _grid(shown)
    figure, panels = new_figure(
        ONE_COLUMN if columns == 1 else TWO_COLUMNS,
        0.7 + rows * (1.9 if columns < 3 else 1.6),
        rows,
        columns,
        sharey=True,
    )
    looks = ratio_looks(all_ratios(shown))
    handles: dict[str, Any] = {}
    drawn = [(variant, title, interval) for variant, title in named for interval in variant.intervals or (None,)]
    for position, (axes, (variant, title, interval)) in enumerate(zip(panels.flat, drawn, strict=False)):
        for group in groups_at(variant, interval):
            if group.finished:
                handles[label_of(group)] = _curve(axes, group, look_of(group, looks))
        axes.set_title(panel_title(title, interval))
        steps_axis(axes, named=position + columns >= len(drawn))
    success_axis(panels)
    for axes in panels.flat[len(drawn) :]:
        axes.set_visible(False)
    legend_below(figure, handles, heading("pruning_ratio"), note_of(results))
    return figure


def _grid(shown: list[Variant]) -> tuple[int, int]:
    """Give rows and columns: a row for each variant; a single variant's four intervals go two by two."""
    intervals = max(len(variant.intervals) for variant in shown) or 1
    if len(shown) == 1 and intervals > 3:
        return -(-intervals // 2), 2
    return len(shown), intervals


def _curve(axes: Axes, group: Group, look: Look) -> Any:
    """Draw one group; give what stands for it in the legend."""
    spread = over_runs(group.success.mean(axis=2))
    steps = group.env_steps_per_task
    every = max(1, len(steps) // _MARKS)
    (line,) = axes.plot(steps, spread.mean, markevery=every, clip_on=False, **look.line())
    if not np.isnan(spread.std).any():
        low, high = np.clip([spread.mean - spread.std, spread.mean + spread.std], 0, 1)
        axes.fill_between(steps, low, high, color=look.color, alpha=0.15, linewidth=0)
    return line
