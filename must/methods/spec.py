"""What a room says of itself: the method's name in tables, its settings, and the parts that it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, Literal, NamedTuple

from must.sections import Section

ARCHITECTURE, WEIGHTING = "network.architecture", "sac.task_weighting"
GRADIENTS, MASKS = "sac.gradient_rule", "masks.source"
KINDS = (ARCHITECTURE, WEIGHTING, GRADIENTS, MASKS)
"""The kinds of parts that an agent is made of, each by the key that chooses one."""

ALL: frozenset[str] | None = None
"""Every key of a section."""
Keys = Mapping[str, frozenset[str] | None]
"""Section -> the keys of it that are read (`ALL`: every key)."""


class SweptKey(NamedTuple):
    """A key of a method's own section that has a list of its own in `sweep`."""

    key: str
    """Dotted key."""
    name: str
    """Of its axis in paths."""
    heading: str
    """Of its column in a table."""
    sweep_key: str
    """Key of `sweep` that lists its values."""
    needs_masks: bool = False
    """Whether a dense run does not read it; else its values speak for themselves."""


@dataclass(frozen=True)
class Part:
    """A part that agents can be made of."""

    kind: str
    """One of `KINDS`."""
    name: str
    """What the configuration calls it."""
    target: str
    """``module:name`` of what makes it; it is imported when it is needed."""
    reads: Keys = field(default_factory=dict)
    """Of the sections that only some methods read, what reaches this part."""
    conditions: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    """Of the keys that it reads, those that it reads only where another key has some value: key -> (key, value)."""
    provides: frozenset[str] = frozenset()
    """Of an architecture: what other parts may ask of it."""
    needs: Mapping[str, str] = field(default_factory=dict)
    """What it asks of the architecture -> why, in words that follow 'because'."""
    task_masks: bool = False
    """Of a source of masks: whether tasks have masks of their own."""
    learns_masks: bool = False
    """Of a source of masks: whether masks are renewed while the networks train."""
    plain_products: bool = False
    """Whether a gradient step has the matrix products of multi-task SAC on `network.hidden_sizes`, and no others."""
    log_columns: tuple[str, ...] = ()
    """Columns that ``train.csv`` has in every run, whatever it is made of; empty in runs without this part."""

    def load(self) -> Any:
        """Import what makes the part."""
        module, _, name = self.target.partition(":")
        return getattr(import_module(module), name)

    def reads_key(self, path: str, value_of: Callable[[str], Any] | None = None) -> bool:
        """Whether a setting (``masks.pruning_ratio``) of a section that only some methods read reaches the part.

        Args:
            path: Dotted key.
            value_of: Returns the value of a key, for those that are read under a condition only.
        """
        section, _, key = path.partition(".")
        if section not in self.reads or ((keys := self.reads[section]) is not None and key not in keys):
            return False
        if value_of is None or path not in self.conditions:
            return True
        other, value = self.conditions[path]
        return bool(value_of(other) == value)

    @property
    def prunes(self) -> bool:
        """Whether it makes networks sparse, or small: with pruning ratio 0 the default part does the same."""
        return self.reads_key("masks.pruning_ratio")


@dataclass(frozen=True)
class MethodSpec:
    """A method, by its room; or a run's own mixture of several methods' parts."""

    label: str
    """Its name in tables and figures."""
    parts: tuple[Part, ...] = ()
    """What it brings, which is what it is made of. What it does not bring is that of multi-task SAC."""
    sections: Mapping[str, type[Section]] = field(default_factory=dict)
    """The sections of a configuration that it brings, by name."""
    swept: tuple[SweptKey, ...] = ()
    """Its keys that have lists of their own in `sweep`."""
    role: Literal["", "default", "dense control", "static control"] = ""
    """Whether a configuration that names no method means this one, or what it is the control of."""

    def part(self, kind: str) -> Part | None:
        """Return its part of a kind; None where it brings none."""
        return next((part for part in self.parts if part.kind == kind), None)

    def with_part(self, part: Part) -> MethodSpec:
        """Return the method with another part of some kind."""
        return replace(self, parts=(*(own for own in self.parts if own.kind != part.kind), part))

    def reads_key(self, path: str, value_of: Callable[[str], Any] | None = None) -> bool:
        """Whether a setting of a section that only some methods read reaches it; see `Part`."""
        return path in KINDS or any(part.reads_key(path, value_of) for part in self.parts)

    def reads_section(self, name: str) -> bool:
        """Whether any key of a section reaches it."""
        return any(name in part.reads for part in self.parts)

    @property
    def prunes(self) -> bool:
        """Whether it makes networks sparse, or small."""
        return any(part.prunes for part in self.parts)

    @property
    def task_masks(self) -> bool:
        """Whether tasks have masks of their own; those of other methods, if any, are the same for all tasks."""
        return any(part.task_masks for part in self.parts)

    @property
    def learns_masks(self) -> bool:
        """Whether masks are renewed while the networks train."""
        return any(part.learns_masks for part in self.parts)

    def problems(self, alternatives: Callable[[str], Iterator[str]]) -> Iterator[str]:
        """Find parts that make no sense together.

        Args:
            alternatives: Returns the names of architectures that provide something.

        Yields:
            For each, what does not go with what, why, and what to write instead.
        """
        architecture = self.part(ARCHITECTURE)
        for part in self.parts:
            for need, why in part.needs.items():
                if architecture is not None and need not in architecture.provides:
                    yield (
                        f"{part.kind}: {part.name} does not go with {ARCHITECTURE}: {architecture.name}, because "
                        f"{why}; write {ARCHITECTURE}: {' or '.join(alternatives(need))}, or another {part.kind}"
                    )
