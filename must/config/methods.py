"""What a configuration may say of methods: their names, those of their parts, and which settings reach them."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from must.methods.registry import (
    CONTROL,
    DEFAULT,
    LOG_COLUMNS,
    METHODS,
    PARTS,
    SECTIONS,
    STATIC_CONTROL,
    SWEPT,
    architectures_with,
    composed,
)
from must.methods.spec import ARCHITECTURE, GRADIENTS, KINDS, MASKS, WEIGHTING, MethodSpec

if TYPE_CHECKING:
    MethodName: TypeAlias = str
    ArchitectureName: TypeAlias = str
    WeightingName: TypeAlias = str
    GradientsName: TypeAlias = str
    MasksName: TypeAlias = str
else:
    MethodName = Literal[tuple(METHODS)]
    ArchitectureName, WeightingName, GradientsName, MasksName = (
        Literal[tuple(PARTS[kind])] for kind in (ARCHITECTURE, WEIGHTING, GRADIENTS, MASKS)
    )

__all__ = [
    "CONTROL",
    "DEFAULT",
    "KINDS",
    "LOG_COLUMNS",
    "MASKS",
    "METHODS",
    "PARTS",
    "SECTIONS",
    "STATIC_CONTROL",
    "SWEPT",
    "ArchitectureName",
    "GradientsName",
    "MasksName",
    "MethodName",
    "MethodSpec",
    "WeightingName",
    "architectures_with",
    "composed",
    "value_of",
]


def value_of(config: Any, path: str) -> Any:
    """Return the value that a configuration has for a dotted key."""
    return reduce(getattr, path.split("."), config)
