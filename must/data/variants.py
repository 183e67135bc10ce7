"""Which groups may be compared: those that differ in nothing but pruning ratio and update interval.

A variant becomes one block of a table, or one row of panels of a figure. Benchmarks, methods and the named variants of
`sweep.variants` are always variants of their own, and so are granularities, generator learning rates and flags when the
experiment sweeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from must.config import NOT_APPLICABLE
from must.config.outputs import COMPARED
from must.data.names import differences, words_of
from must.data.runs import Group, Results


@dataclass(frozen=True)
class Variant:
    """Comparable groups, and the control that they share."""

    settings: dict[str, str]
    """The other swept axes -> value."""
    control: Group | None
    others: tuple[Group, ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups, the control first."""
        return (*((self.control,) if self.control else ()), *self.others)

    @property
    def masked(self) -> tuple[Group, ...]:
        """The groups whose tasks have masks."""
        return tuple(group for group in self.others if not group.dense)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The K tasks."""
        return self.groups[0].tasks

    @property
    def ratios(self) -> tuple[float, ...]:
        """Pruning ratios of the groups with masks, ascending."""
        return tuple(sorted({group.pruning_ratio for group in self.masked}))

    @property
    def intervals(self) -> tuple[int | None, ...]:
        """Update intervals, ascending; None stands for masks that are never updated, and for a method without masks."""
        return tuple(sorted({group.update_interval for group in self.masked or self.others}, key=lambda i: i or 0))

    def at(self, interval: int | None) -> tuple[Group, ...]:
        """Return the groups of an update interval, by ascending pruning ratio."""
        same = (group for group in self.masked or self.others if group.update_interval == interval)
        return tuple(sorted(same, key=lambda group: group.pruning_ratio))

    def best_interval(self, results: Results) -> int | None:
        """Return the update interval to show when only one can be: most finished runs, then highest final success."""

        def merit(interval: int | None) -> tuple[int, float, int]:
            means = [results.mean_final(group) for group in self.at(interval) if group.finished]
            count = sum(len(group.finished) for group in self.at(interval))
            return count, sum(means) / len(means) if means else 0.0, -(interval or 0)

        return max(self.intervals, key=merit, default=None)


def variants(results: Results) -> list[Variant]:
    """Sort the groups of an experiment into variants, in the order of the sweep."""
    found: dict[tuple[tuple[str, str], ...], list[Group]] = {}
    for group in results.groups:
        if results.control_of(group) is not group:
            found.setdefault(_others(group), []).append(group)
    if not found:
        return [Variant(dict(_others(group)), group, ()) for group in results.groups]
    return [Variant(dict(key), results.control_of(groups[0]), tuple(groups)) for key, groups in found.items()]


def masked_variants(results: Results) -> list[Variant]:
    """Return the variants whose tasks have masks."""
    return [variant for variant in variants(results) if variant.masked]


def variant_titles(shown: Sequence[Variant]) -> list[list[str]]:
    """Name variants by the settings that set them apart; a single one needs no name."""
    if len(shown) > 1 and any("variant" in variant.settings for variant in shown):
        return words_of([variant.groups[-1] for variant in shown], without=COMPARED)
    return differences([variant.settings for variant in shown])


def all_ratios(shown: Sequence[Variant]) -> list[float]:
    """Return the pruning ratios of all groups with masks, ascending."""
    return sorted({ratio for variant in shown for ratio in variant.ratios})


def all_intervals(shown: Sequence[Variant]) -> list[int]:
    """Return the update intervals of all groups, ascending."""
    return sorted({interval for variant in shown for interval in variant.intervals if interval is not None})


def _others(group: Group) -> tuple[tuple[str, str], ...]:
    """Return the settings of a group that are not compared within a variant."""
    settings = group.settings.items()
    return tuple((axis, value) for axis, value in settings if axis not in COMPARED and value != NOT_APPLICABLE)
