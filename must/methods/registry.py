"""The registry of the methods, and of the parts that they bring."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from must.methods.spec import ARCHITECTURE, KINDS, MethodSpec, Part
from must.sections import Section

_ROOMS = (
    "must",
    "mt_sac",
    "mtmh_sac",
    "soft_modularization",
    "pcgrad",
    "cagrad",
    "paco",
    "t3s",
    "static_sparse",
    "shared_sparse",
    "magnitude",
    "equal_cost",
    "single_task",
    "moore",
    "famo",
)
"""The folders of this package that are a method's room, in the order of listings."""

METHODS: dict[str, MethodSpec] = {name: import_module(f"must.methods.{name}").SPEC for name in _ROOMS}
"""Name of each method -> what is known of it."""
PARTS: dict[str, dict[str, Part]] = {
    kind: {part.name: part for spec in METHODS.values() for part in spec.parts if part.kind == kind} for kind in KINDS
}
"""Kind -> name -> part."""
SECTIONS: dict[str, type[Section]] = {
    name: section for spec in METHODS.values() for name, section in spec.sections.items()
}
"""The sections of a configuration that belong to methods."""
SWEPT = tuple(swept for spec in METHODS.values() for swept in spec.swept)
"""The keys of those sections that have lists of their own in `sweep`."""
LOG_COLUMNS = tuple(column for spec in METHODS.values() for part in spec.parts for column in part.log_columns)
"""Columns that ``train.csv`` has in every run because some part fills them."""


def _with_role(role: str) -> str:
    return next(name for name, spec in METHODS.items() if spec.role == role)


DEFAULT = _with_role("default")
"""The method of a configuration that names none."""
CONTROL = _with_role("dense control")
"""The method that all others are compared with. It is made of the parts that a method is made of if it brings none."""
STATIC_CONTROL = _with_role("static control")
"""The method whose masks are drawn at random and never change: the control of learned masks."""


def composed(method: str, value_of: Callable[[str], Any], dense: bool = False) -> MethodSpec:
    """Return what a run is made of: its method's parts, with those that the configuration chooses itself.

    Args:
        method: Name of the method.
        value_of: Returns the value of a dotted key; that of one of `KINDS` may be None.
        dense: Whether nothing is pruned: parts that prune are then those of multi-task SAC, which do the same.
    """
    spec = METHODS[method]
    for kind in KINDS:
        chosen = value_of(kind)
        default = METHODS[CONTROL].part(kind)
        assert default is not None
        part = PARTS[kind][chosen] if chosen in PARTS[kind] else spec.part(kind) or default
        spec = spec.with_part(default if dense and part.prunes else part)
    return spec


def architectures_with(need: str) -> Iterator[str]:
    """Find the architectures that provide something."""
    return (part.name for part in PARTS[ARCHITECTURE].values() if need in part.provides)
