"""What all sections of a configuration are made of: number types, and a base that refuses what it does not know.

And what can be asked of their fields: which section they hold, and between which limits their numbers lie.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.fields import FieldInfo

_BOUNDS = {Gt: "exclusiveMinimum", Ge: "minimum", Lt: "exclusiveMaximum", Le: "maximum"}
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def parse_number(value: Any) -> Any:
    """Read ``'1e-4'`` as a number, which YAML 1.1 takes for text; there is one zero, and it has no sign."""
    if isinstance(value, float) or (isinstance(value, str) and re.match(_NUMBER, value)):
        return float(value) + 0.0
    return value


Real = Annotated[
    float,
    BeforeValidator(parse_number),
    Field(allow_inf_nan=False),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": _NUMBER}]}),
]
"""A real number; ``1e-4`` is one too."""

Positive = Annotated[Real, Field(gt=0)]
NonNegative = Annotated[Real, Field(ge=0)]
Fraction = Annotated[Real, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Whole = Annotated[int, Field(ge=0)]


def parse_flag(value: Any) -> Any:
    """Read 0 and 1 as false and true, and refuse the words that YAML 1.2 takes for text."""
    if isinstance(value, str) and value.lower() in ("yes", "no", "on", "off"):
        raise ValueError("write true or false")  # YAML 1.1 had these words too; in YAML 1.2 they are text
    return bool(value) if isinstance(value, int) and value in (0, 1) else value


Flag = Annotated[
    bool,
    BeforeValidator(parse_flag),
    WithJsonSchema({"enum": [True, False, 0, 1]}),
]
"""True or false; 0 and 1 are taken as well."""

AutoFlag = Annotated[
    Literal["auto", True, False],
    BeforeValidator(parse_flag),
    WithJsonSchema({"enum": ["auto", True, False]}),
]
"""True, false, or what is best where it runs."""


class Section(BaseModel):
    """Base of all sections: immutable, strictly typed, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


def section_of(field: FieldInfo) -> type[Section] | None:
    """Return the section that a field of an experiment holds, or None for a plain key."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def bounds_of(part: Any) -> dict[str, float]:
    """Return the limits of the numbers in a field, or in a part of its type: keyword of JSON schema -> limit."""
    return dict(_bounds(part))


def _bounds(part: Any) -> Iterator[tuple[str, float]]:
    if isinstance(part, FieldInfo):
        yield from _bounds(part.annotation)
        for item in part.metadata:
            yield from _bounds(item)
    elif type(part) in _BOUNDS:
        yield _BOUNDS[type(part)], getattr(part, type(part).__name__.lower())
    else:
        for inner in get_args(part):
            yield from _bounds(inner)


def nearly(name: str, known: Iterable[Any]) -> str | None:
    """Return the known name that is nearly the same as an unknown one; None when there is none."""
    return next(iter(difflib.get_close_matches(name, map(str, known), n=1, cutoff=0.8)), None)


def has_words(known: str, name: str) -> bool:
    """Return whether a known name has all words of an unknown one, such as ``ratio`` in ``pruning_ratio``."""
    return _words(name) <= _words(known)


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z0-9]+", name.lower()))


def nearest(name: str, known: Iterable[Any], alike: bool = True) -> str | None:
    """Return the known name that is meant by an unknown one; None when there is none.

    It is one that is nearly the same, or has its words, or is at least like it.

    Args:
        name: The unknown name.
        known: The known ones.
        alike: Whether to be like it is enough.
    """
    names = [str(each) for each in known]
    having = [each for each in names if has_words(each, name)]
    found = nearly(name, names) or next(iter(difflib.get_close_matches(name, having, n=1, cutoff=0.0)), None)
    if found is None and alike:
        found = next(iter(difflib.get_close_matches(name, names, n=1, cutoff=0.5)), None)
    return found


def suggest(name: str, known: Iterable[Any]) -> str:
    """Return ``; did you mean 'x'?`` for the known name nearest to a mistyped one, or nothing when none is near."""
    near = nearest(str(name), known)
    return f"; did you mean '{near}'?" if near else ""
