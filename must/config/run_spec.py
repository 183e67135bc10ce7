"""How a run of a sweep is named."""

from __future__ import annotations

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

    def has(self, axis: str, value: str) -> bool:
        """Whether the run has a value on an axis."""
        return (axis, value) in self.params


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
