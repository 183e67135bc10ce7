"""Which groups may share a column: those on the same tasks, judged alike.

The grid of a sweep may hold keys of `env`. Success under another reward, on other goals or in longer episodes is
another quantity, and is ranked and tabulated by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from must.data.names import parts
from must.data.runs import Group, Results

_AXES = ("benchmark", "env_tasks", "env_n_tasks", "env_reward", "env_goals", "env_horizon")
"""Swept axes that change the tasks, or how they are judged."""


class Block(NamedTuple):
    """Groups that may be compared."""

    settings: Mapping[str, str]
    """What sets the block apart from others: swept axis -> value."""
    groups: list[Group]

    @property
    def title(self) -> str:
        """Of its table or panel; empty where there is a single block."""
        return ", ".join(parts(self.settings.items()))


def blocks_of(results: Results) -> list[Block]:
    """Split the groups by what they are trained on and how they are judged, in the order of the sweep."""
    same_horizon = results.experiment.evaluation.final_horizon is not None
    axes = [axis for axis in _AXES if axis in results.axes and not (axis == "env_horizon" and same_horizon)]
    found: dict[tuple[str, ...], list[Group]] = {}
    for group in results.groups:
        found.setdefault(tuple(group.settings[axis] for axis in axes), []).append(group)
    return [Block(dict(zip(axes, values, strict=True)), groups) for values, groups in found.items()]


def judged_on(results: Results, key: str) -> str:
    """Write a key of `env`, or all its values where the sweep has several: ``v1 or v2``."""
    return " or ".join(dict.fromkeys(str(getattr(group.config.env, key)) for group in results.groups))
