"""Which groups may be compared: those that differ in nothing but pruning ratio and update interval.

A variant becomes one block of a table, or one row of panels of a figure. Benchmarks are always variants of their own,
and so are granularities, generator learning rates and flags when the experiment sweeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from must.analysis.load import Group, Results
from must.analysis.statistics import final_success, over_runs
from must.config import NOT_APPLICABLE

_COMPARED = ("pruning_ratio", "update_interval")


@dataclass(frozen=True)
class Variant:
    """Comparable groups, and the dense control that they share."""

    settings: dict[str, str]
    """The other swept axes -> value."""
    dense: Group | None
    sparse: tuple[Group, ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups, the control first."""
        return (*((self.dense,) if self.dense else ()), *self.sparse)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The K tasks."""
        return self.groups[0].tasks

    @property
    def ratios(self) -> tuple[float, ...]:
        """Pruning ratios of the sparse groups, ascending."""
        return tuple(sorted({ratio_of(group) for group in self.sparse}))

    @property
    def intervals(self) -> tuple[int, ...]:
        """Update intervals of the sparse groups, ascending."""
        return tuple(sorted({interval_of(group) for group in self.sparse}))

    def sparse_at(self, interval: int) -> tuple[Group, ...]:
        """Give the sparse groups of an update interval, by ascending pruning ratio."""
        return tuple(sorted((group for group in self.sparse if interval_of(group) == interval), key=ratio_of))

    def sparse_with(self, ratio: float) -> tuple[Group, ...]:
        """Give the sparse groups of a pruning ratio, by ascending update interval."""
        return tuple(sorted((group for group in self.sparse if ratio_of(group) == ratio), key=interval_of))

    def best_interval(self, evaluations: int) -> int:
        """Give the update interval to show when only one can be: most finished runs, then highest final success.

        Args:
            evaluations: How many of the last evaluations make the final success.
        """

        def merit(interval: int) -> tuple[int, float, int]:
            groups = [group for group in self.sparse_at(interval) if group.finished]
            means = [float(over_runs(final_success(group.success, evaluations)).mean.mean()) for group in groups]
            mean = sum(means) / len(means) if means else 0.0
            return sum(len(group.finished) for group in groups), mean, -interval

        return max(self.intervals, key=merit)


def variants(results: Results) -> list[Variant]:
    """Sort the groups of an experiment into variants, in the order of the sweep."""
    dense = {group.settings.get("benchmark"): group for group in results.groups if group.dense}
    sparse: dict[tuple[tuple[str, str], ...], list[Group]] = {}
    for group in results.groups:
        if not group.dense:
            sparse.setdefault(_others(group), []).append(group)
    if not sparse:
        return [Variant(dict(_others(group)), group, ()) for group in dense.values()]
    return [Variant(dict(key), dense.get(dict(key).get("benchmark")), tuple(groups)) for key, groups in sparse.items()]


def all_ratios(shown: Sequence[Variant]) -> list[float]:
    """Give the pruning ratios of all sparse groups, ascending."""
    return sorted({ratio for variant in shown for ratio in variant.ratios})


def all_intervals(shown: Sequence[Variant]) -> list[int]:
    """Give the update intervals of all sparse groups, ascending."""
    return sorted({interval for variant in shown for interval in variant.intervals})


def ratio_of(group: Group) -> float:
    """Give the pruning ratio of a group."""
    return group.runs[0].config.masks.pruning_ratio


def interval_of(group: Group) -> int:
    """Give the update interval of a group, in epochs."""
    return group.runs[0].config.masks.update_interval


def _others(group: Group) -> tuple[tuple[str, str], ...]:
    """Give the settings of a group that are not compared within a variant."""
    settings = group.settings.items()
    return tuple((axis, value) for axis, value in settings if axis not in _COMPARED and value != NOT_APPLICABLE)
