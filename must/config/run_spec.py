"""How a run of a sweep is named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

NOT_APPLICABLE = "na"
"""Stands in a path or a table for a setting that the run's method does not read, or that needs masks it has not."""


@dataclass(frozen=True)
class RunSpec:
    """One run of a sweep: (axis name, value as text) for each axis that the experiment sweeps."""

    params: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        """Directory of the run below ``results/<name>/runs/``."""
        return "/".join(f"{name}~{value}" for name, value in self.params)

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return int(dict(self.params)["seed"])

    def has(self, axis: str, value: str) -> bool:
        """Whether the run has a value on an axis."""
        return (axis, value) in self.params


def deal(runs: Iterable[RunSpec], size: int) -> dict[str, list[str]]:
    """Deal runs to jobs that train several each: number of the job -> paths of its runs.

    Seed by seed, so that added seeds only add jobs.
    """
    order = [spec.path for spec in sorted(runs, key=lambda spec: spec.seed)]
    return {f"{start // size:04}": order[start : start + size] for start in range(0, len(order), size)}


def format_value(value: Any) -> str:
    """Write a swept value the same way in paths, tables and on the command line.

    ``1e-04`` is ``0.0001``, true is ``1``, ``[400, 400]`` is ``400x400``, and no value is ``null``.
    """
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, list):
        return "x".join(format_value(item) for item in value)
    if value is None:
        return "null"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
