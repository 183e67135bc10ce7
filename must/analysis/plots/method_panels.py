"""Figures of several methods as small multiples: a panel for each method, with the control behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from must.analysis.labels import heading
from must.analysis.load import Group, Results
from must.analysis.plots.comparisons import draw_profile, profile_axes
from must.analysis.plots.curves import draw_curve, window_note, window_of
from must.analysis.plots.panels import note_of, steps_axis, success_axis, titled_panels
from must.analysis.ranking import words_of
from must.analysis.style import CONTROL, CONTROL_LABEL, PAGE, UNMASKED, Look, legend_below, ratio_looks
from must.analysis.variants import ratio_of

_COLUMNS = 4
_MOST = 24
"""Panels that a page has room for."""
_AROUND = 0.9
"""Inches of a page for the legend and the names of the x axes."""
_TITLES = 0.4
"""Inches for the titles of a row and the gap above them."""
_RATIO = "pruning_ratio"


@dataclass(frozen=True)
class MethodPanel:
    """A method, with all of its settings but one for all panels: what one panel shows."""

    title: list[str]
    groups: tuple[Group, ...]
    """By ascending pruning ratio."""
    control: Group | None


def method_panels(results: Results) -> tuple[list[MethodPanel], list[str]]:
    """Return the panels of an experiment that compares methods, in the order of the sweep, and notes on them.

    The control has no panel of its own unless there is nothing else. Where a page has no room for all, those with the
    highest final success are kept.
    """
    found: dict[tuple[tuple[str, str], ...], list[Group]] = {}
    for group in results.groups:
        if results.control_of(group) is not group:
            key = tuple(item for item in group.settings.items() if item[0] != _RATIO)
            found.setdefault(key, []).append(group)
    shown = [tuple(sorted(groups, key=ratio_of)) for groups in found.values()]
    alone = dict(zip(results.groups, words_of(results.groups), strict=True))
    shared = words_of([groups[0] for groups in shown], without=(_RATIO,))
    panels = [
        MethodPanel(words if len(groups) > 1 else alone[groups[0]], groups, results.control_of(groups[0]))
        for words, groups in zip(shared, shown, strict=True)
    ]
    if len(panels) <= _MOST:
        return panels, []
    best = sorted(panels, key=lambda panel: -max(results.mean_final(group) for group in panel.groups))[:_MOST]
    return [panel for panel in panels if panel in best], [f"the best {_MOST} of {len(panels)} settings"]


def method_learning_curves(results: Results) -> Figure:
    """Draw the mean success over environment steps per task: a panel for each method, in it the control in grey."""
    window = window_of(results)

    def draw(axes: Axes, group: Group, look: Look) -> Any:
        return draw_curve(axes, group, look, window)

    figure, panels, columns = _figure(results, draw, window_note(window))
    for position, axes in enumerate(panels):
        steps_axis(axes, named=position + columns >= len(panels))
        axes.tick_params(labelbottom=position + columns >= len(panels))
    success_axis(panels, columns)
    return figure


def method_profiles(results: Results) -> Figure:
    """Draw the share of runs and tasks whose final success exceeds a threshold: a panel for each method."""

    def draw(axes: Axes, group: Group, look: Look) -> Any:
        return draw_profile(axes, results.final(group), look)

    figure, panels, columns = _figure(results, draw, [])
    for position, axes in enumerate(panels):
        profile_axes(axes, first=position % columns == 0, last=position + columns >= len(panels))
        axes.tick_params(labelbottom=position + columns >= len(panels))
    return figure


def _figure(results: Results, draw: Any, notes: Sequence[str]) -> tuple[Figure, list[Axes], int]:
    """Draw all panels, and one legend.

    Args:
        results: The runs.
        draw: Draws a group with its look into a panel, and gives what stands for it in the legend.
        notes: More to say in the legend.

    Returns:
        The figure, its panels and how many are in a row.
    """
    shown, left_out = method_panels(results)
    columns = min(_COLUMNS, len(shown)) if len(shown) != 6 else 3
    rows = -(-len(shown) // columns)
    height = min(1.25, (PAGE - _AROUND) / rows - _TITLES)
    figure, panels = titled_panels([panel.title for panel in shown], columns, [height] * rows, sharey=True)
    ratios = sorted({ratio_of(group) for panel in shown for group in panel.groups if not group.dense})
    looks = ratio_looks(ratios)
    plain = "no masks" if ratios else "the method"
    handles: dict[str, Any] = {}
    for axes, panel in zip(panels, shown, strict=True):
        if panel.control is not None and panel.control.finished:
            handles[CONTROL_LABEL] = draw(axes, panel.control, CONTROL)
        for group in panel.groups:
            if group.finished:
                label, look = (plain, UNMASKED) if group.dense else (f"{ratio_of(group):.10g}", looks[ratio_of(group)])
                handles[label] = draw(axes, group, look)
    what = heading(_RATIO) if ratios else "Lines"
    legend_below(figure, handles, what, "; ".join([note_of(results), *left_out, *notes]))
    return figure, panels, columns
