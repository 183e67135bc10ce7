"""What the panels of most figures show: settings of the masks, methods, or tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from must.analysis.style import BEHIND, DENSE, MASKED, UNCHANGED, UNMASKED, Look, Width, columns_for, ramp
from must.config.outputs import compares_methods
from must.data import Group, Results
from must.data.names import (
    CONTROL_LABEL,
    STATIC_LABEL,
    describe,
    heading,
    parts,
    ratio_label,
    short_task_names,
    words_of,
)
from must.data.variants import Variant, all_intervals, all_ratios, variant_titles, variants

_MOST, _MOST_TASKS = 24, 60
"""Panels that a page has room for: of methods, and of tasks."""
_RATIO = "pruning_ratio"


@dataclass(frozen=True)
class Panel:
    """What a panel shows."""

    title: list[str]
    lines: Mapping[str, Group]
    """Label -> group, the control first."""
    task: int | None = None
    """Which task; the mean over all without it."""

    @property
    def own(self) -> set[str]:
        """The labels of what the panel is about: all but the controls, which stand behind them, if there are others."""
        return set(self.lines) - {CONTROL_LABEL, STATIC_LABEL} or set(self.lines)


@dataclass(frozen=True)
class Panels:
    """What a figure shows."""

    panels: Sequence[Panel]
    looks: Mapping[str, Look]
    columns: Callable[[int, Width], int]
    """Returns in how many columns so many panels are set."""
    legend: str = heading(_RATIO)
    notes: list[str] = field(default_factory=list)


def panels_of(results: Results) -> Panels:
    """Return the panels that most figures have: of methods where they are compared, else of settings of the masks."""
    return method_panels(results) if compares_methods(results.experiment) else mask_panels(results)


def mask_panels(results: Results) -> Panels:
    """Return a panel for each variant and update interval, in it a line for each pruning ratio and the control."""
    shown = variants(results)
    found = [
        Panel(
            [*title, *([] if interval is None else parts([("update_interval", str(interval))]))],
            lines_of(each, interval),
        )
        for each, title in zip(shown, variant_titles(shown), strict=True)
        for interval in each.intervals or (None,)
    ]
    most = max(len(variant.intervals) for variant in shown) or 1
    together = len(shown) > 1 and 1 < most <= 4

    def columns(count: int, width: Width) -> int:
        whole = together and width != "column" and count == len(found)
        return most if whole else columns_for(count, width)

    return Panels(found, ratio_looks(shown), columns)


def ratio_looks(shown: Sequence[Variant]) -> dict[str, Look]:
    """Return the look of each pruning ratio, and of groups without masks."""
    ratios = ramp(f"{ratio:.10g}" for ratio in all_ratios(shown))
    return {ratio_label(group): DENSE for variant in shown for group in variant.groups if group.dense} | ratios


def lines_of(variant: Variant, interval: int | None) -> dict[str, Group]:
    """Return the control and the groups of an update interval by their labels, by ascending pruning ratio."""
    groups = (*([variant.control] if variant.control else []), *variant.at(interval))
    return {ratio_label(group): group for group in groups}


def method_panels(results: Results) -> Panels:
    """Return a panel for each method with its settings but one, in it a line for each pruning ratio, behind it MT-SAC.

    Behind masks of a single ratio there are also static ones, if any were trained from the same first masks; behind a
    method without masks the only static ones there are.
    The control has no panel of its own unless there is nothing else. Where a page has no room for all, those with the
    highest final success are kept.
    """
    found: dict[tuple[tuple[str, str], ...], list[Group]] = {}
    for group in results.groups:
        if results.control_of(group) is not group:
            key = tuple(item for item in group.settings.items() if item[0] != _RATIO)
            found.setdefault(key, []).append(group)
    begun = [groups for groups in found.values() if any(group.finished for group in groups)]
    shown = [sorted(groups, key=lambda group: group.pruning_ratio) for groups in begun or found.values()]
    alone = dict(zip(results.groups, words_of(results.groups), strict=True))
    titles = words_of([groups[0] for groups in shown], without=(_RATIO,))
    ratios = sorted({group.pruning_ratio for groups in shown for group in groups if not group.dense})
    alike = len(ratios) < 2 and all(len(groups) == 1 for groups in shown)  # the titles say it all
    plain = "the panel's method" if alike or not ratios else "no masks"
    made = []
    for groups, title in zip(shown, titles, strict=True):
        control = results.control_of(groups[0])
        lines = {CONTROL_LABEL: control} if control else {}
        compared = [group for group in groups if not group.dense] or groups
        static = results.static_control_of(compared[0]) if len(compared) == 1 else None
        lines |= {STATIC_LABEL: static} if static and static not in groups else {}
        lines |= {plain if alike or group.dense else f"{group.pruning_ratio:.10g}": group for group in groups}
        made.append(Panel(title if len(groups) > 1 else alone[groups[0]], lines))
    notes = [f"the best {_MOST} of {len(made)} settings"] if len(made) > _MOST else []
    best = sorted(zip(made, shown, strict=True), key=lambda pair: -max(map(results.mean_final, pair[1])))[:_MOST]
    kept = {id(panel) for panel, _ in best}
    made = [panel for panel in made if id(panel) in kept]
    looks = {CONTROL_LABEL: BEHIND, STATIC_LABEL: UNCHANGED, plain: MASKED if alike and ratios else UNMASKED}
    if alike:
        notes += [f"pruning ratio of masks {ratio:.10g}" for ratio in ratios]
    else:
        looks |= ramp(f"{ratio:.10g}" for ratio in ratios)

    def columns(count: int, width: Width) -> int:
        return columns_for(count, width, 3 if count in (5, 6, 9) else 4)  # rows as even as may be

    return Panels(made, looks, columns, heading(_RATIO) if ratios and not alike else "Lines", notes)


def task_panels(results: Results) -> Panels:
    """Return a panel for each task and variant; of each variant the update interval with the highest success.

    Where a page has no room for all variants, it is the one with the highest success of all.
    """
    shown = variants(results)
    cells = [
        (each, each.best_interval(results) if each.intervals else None, title)
        for each, title in zip(shown, variant_titles(shown), strict=True)
    ]
    notes = []
    if len(cells) > 1 and sum(len(each.tasks) for each, _, _ in cells) > _MOST_TASKS:
        best = max(cells, key=lambda cell: max(map(results.mean_final, lines_of(cell[0], cell[1]).values())))
        cells = [best]
        notes.append(f"only {describe(best[0].settings.items())}")
    if len(all_intervals(shown)) > 1:
        named = sorted({interval for _, interval, _ in cells if interval is not None})
        notes.append(f"update interval {' or '.join(map(str, named))}")
    found = [
        Panel([name, *title], lines_of(each, interval), task)
        for each, interval, title in cells
        for task, name in enumerate(short_task_names(each.tasks))
    ]
    return Panels(found, ratio_looks(shown), lambda n, width: min(n, 5 if width != "column" else 3), notes=notes)
