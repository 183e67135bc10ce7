"""How masks change during training."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from must.analysis.aggregates import mean_band
from must.analysis.labels import heading
from must.analysis.load import Group, Results
from must.analysis.logs import read_mask_churn
from must.analysis.plots.panels import cells_of, draw_spread, grid_columns, label_of, note_of, steps_axis, titled_panels
from must.analysis.style import Look, legend_below, ratio_looks
from must.analysis.variants import all_ratios, masked_variants, ratio_of
from must.run_files import table


def mask_churn(results: Results) -> Figure | None:
    """Draw how much of the masks each update replaced: a panel for each update interval, a line for each pruning ratio.

    Returns:
        The figure; None when no finished run has updated its masks.
    """
    shown = masked_variants(results)
    epochs = results.experiment.training.epochs
    cells = [cell for cell in cells_of(shown) if cell.interval is not None and cell.interval <= epochs]
    if not cells:
        return None
    columns = grid_columns(len(cells))
    rows = -(-len(cells) // columns)
    figure, panels = titled_panels([cell.title for cell in cells], columns, [1.5] * rows, sharey=True)
    looks = ratio_looks(all_ratios(shown))
    handles: dict[str, Any] = {}
    for position, (axes, cell) in enumerate(zip(panels, cells, strict=True)):
        for group in cell.groups:
            if not group.dense and group.finished:
                handles |= _line(axes, group, looks[ratio_of(group)])
        steps_axis(axes, named=position + columns >= len(cells))
        axes.set_ylim(bottom=0)
    if not handles:
        return None
    for axes in panels[::columns]:
        axes.set_ylabel("Share of masks replaced")
    legend_below(figure, handles, heading("pruning_ratio"), note_of(results))
    return figure


def _line(axes: Axes, group: Group, look: Look) -> dict[str, Any]:
    """Draw a group; return its label and what stands for it, or nothing where its masks were never updated."""
    read = [read_mask_churn(run.directory / table("train")) for run in group.finished]
    steps = read[0][0] / len(group.tasks)
    if not len(steps):
        return {}
    runs = np.stack([churn for _, churn in read])
    band = mean_band(runs[:, None, :])
    (line,) = axes.plot(steps, band.mean, markevery=max(1, len(steps) // 8), clip_on=False, **look.line())
    draw_spread(axes, steps, band, runs, look)
    return {label_of(group): line}
