"""Which groups may be compared: those that differ in nothing but pruning ratio and update interval.

A variant becomes one block of a table, or one row of panels of a figure. Benchmarks, methods and the named variants of
`sweep.variants` are always variants of their own, and so are granularities, generator learning rates and flags when the
experiment sweeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from must.analysis.load import Group, Results
from must.analysis.statistics import final_success, over_runs
from must.config import NOT_APPLICABLE
from must.config.outputs import COMPARED


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
        return tuple(sorted({ratio_of(group) for group in self.masked}))

    @property
    def intervals(self) -> tuple[int | None, ...]:
        """Update intervals, ascending; None stands for masks that are never updated, and for a method without masks."""
        return tuple(sorted({interval_of(group) for group in self._shown}, key=lambda interval: interval or 0))

    def at(self, interval: int | None) -> tuple[Group, ...]:
        """Return the groups of an update interval, by ascending pruning ratio."""
        return tuple(sorted((group for group in self._shown if interval_of(group) == interval), key=ratio_of))

    def masked_with(self, ratio: float) -> tuple[Group, ...]:
        """Return the groups of a pruning ratio, by ascending update interval."""
        same = (group for group in self.masked if ratio_of(group) == ratio)
        return tuple(sorted(same, key=lambda group: interval_of(group) or 0))

    def best_interval(self, evaluations: int) -> int | None:
        """Return the update interval to show when only one can be: most finished runs, then highest final success.

        Args:
            evaluations: How many of the last evaluations make the final success.
        """

        def merit(interval: int | None) -> tuple[int, float, int]:
            groups = [group for group in self.at(interval) if group.finished]
            means = [float(over_runs(final_success(group.success, evaluations)).mean.mean()) for group in groups]
            mean = sum(means) / len(means) if means else 0.0
            return sum(len(group.finished) for group in groups), mean, -(interval or 0)

        return max(self.intervals, key=merit, default=None)

    @property
    def _shown(self) -> tuple[Group, ...]:
        """Those with masks; the one without, where there are none."""
        return self.masked or self.others


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


def all_ratios(shown: Sequence[Variant]) -> list[float]:
    """Return the pruning ratios of all groups with masks, ascending."""
    return sorted({ratio for variant in shown for ratio in variant.ratios})


def all_intervals(shown: Sequence[Variant]) -> list[int]:
    """Return the update intervals of all groups, ascending."""
    return sorted({interval for variant in shown for interval in variant.intervals if interval is not None})


def ratio_of(group: Group) -> float:
    """Return the pruning ratio of a group; 0 for methods without masks."""
    return 0.0 if group.dense else group.config.masks.pruning_ratio


def interval_of(group: Group) -> int | None:
    """Return the update interval of a group, in epochs; None where masks, if there are any, are never updated."""
    return group.config.masks.update_interval if group.config.learns_masks else None


def _others(group: Group) -> tuple[tuple[str, str], ...]:
    """Return the settings of a group that are not compared within a variant."""
    settings = group.settings.items()
    return tuple((axis, value) for axis, value in settings if axis not in COMPARED and value != NOT_APPLICABLE)
