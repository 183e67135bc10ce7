"""Learning curves of each task, as small multiples."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from must.analysis.labels import describe, heading, short_task_names
from must.analysis.load import Results
from must.analysis.plots.curves import draw_curve, window_note, window_of
from must.analysis.plots.panels import (
    Cell,
    label_of,
    note_of,
    steps_axis,
    success_axis,
    titled_panels,
    variant_titles,
)
from must.analysis.style import PAGE, legend_below, look_of, ratio_looks
from must.analysis.variants import all_intervals, all_ratios, variants

_COLUMNS = 5
_MOST = 60
"""Panels that a page has room for."""
_AROUND = 0.9
"""Inches of a page for the legend and the names of the x axes."""
_TITLES = 0.32
"""Inches for the titles of a row and the gap above them."""


def learning_curves_per_task(results: Results) -> Figure:
    """Draw the success over environment steps of each task: a small panel for each task and variant.

    Of each variant the update interval with the highest success is shown, and where a page has no room for all
    variants, the one with the highest success of all.
    """
    shown = variants(results)
    evaluations = results.experiment.report.final_evaluations
    cells = [
        Cell(variant, variant.best_interval(evaluations) if variant.intervals else None, title)
        for variant, title in zip(shown, variant_titles(shown), strict=True)
    ]
    notes = [note_of(results)]
    if len(cells) > 1 and sum(len(cell.variant.tasks) for cell in cells) > _MOST:
        cells = [max(cells, key=lambda cell: max(results.mean_final(group) for group in cell.groups))]
        notes.append(f"only {describe(cells[0].variant.settings.items())}")
    if len(all_intervals(shown)) > 1:
        intervals = sorted({cell.interval for cell in cells if cell.interval is not None})
        notes.append(f"update interval {' or '.join(map(str, intervals))}")
    window = window_of(results)
    handles = {}
    figure, panels = _panels(cells)
    looks = ratio_looks(all_ratios(shown))
    places = [(cell, task) for cell in cells for task in range(len(cell.variant.tasks))]
    for axes, (cell, task) in zip(panels, places, strict=True):
        for group in cell.groups:
            if group.finished:
                handles[label_of(group)] = draw_curve(axes, group, look_of(group, looks), window, task)
        steps_axis(axes, named=False)
    legend_below(figure, handles, heading("pruning_ratio"), "; ".join([*notes, *window_note(window)]))
    return figure


def _panels(cells: list[Cell]) -> tuple[Figure, list[Any]]:
    """Return a panel for each task of each cell; the axes are named once for all of them."""
    titles = [[task, *cell.title] for cell in cells for task in short_task_names(cell.variant.tasks)]
    columns = min(_COLUMNS, len(titles))
    rows = -(-len(titles) // columns)
    height = min(1.0, (PAGE - _AROUND) / rows - _TITLES) if columns > 1 else 1.8
    figure, panels = titled_panels(titles, columns, [height] * rows, sharey=True)
    success_axis(panels, columns)
    for position, axes in enumerate(panels):
        axes.set_yticks([0, 0.5, 1])
        last = position + columns >= len(panels)
        axes.tick_params(labelbottom=last)
        axes.set_xlabel("Steps per task" if last else "")
    return figure, panels
