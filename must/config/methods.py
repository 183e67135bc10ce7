"""The methods: what each is called, and which settings reach it. Their code is in ``must.methods``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from must.config.base import Count, Flag, Fraction, Positive, Real, Section

ALL: frozenset[str] | None = None
"""Every key of a section."""


@dataclass(frozen=True)
class MethodSpec:
    """What the configuration, the sweep and the tables know of a method."""

    label: str
    """Its name in tables and figures."""
    reads: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    """Of the sections that only some methods read: name -> the keys that reach this one (`ALL`: every key)."""
    task_masks: bool = False
    """Whether tasks have masks of their own; those of other methods, if they have any, are the same for all tasks."""

    conditions: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    """Of the keys that it reads, those that it reads only where another key has some value: key -> (key, value)."""

    def reads_key(self, path: str, value_of: Callable[[str], Any] | None = None) -> bool:
        """Whether a setting (``masks.pruning_ratio``) that only some methods read reaches this one.

        Args:
            path: Dotted key.
            value_of: Gives the value of a key, for those that are read under a condition only.
        """
        section, _, key = path.partition(".")
        if section not in self.reads or ((keys := self.reads[section]) is not None and key not in keys):
            return False
        if value_of is None or path not in self.conditions:
            return True
        other, value = self.conditions[path]
        return bool(value_of(other) == value)


_MASKS = frozenset({"granularity", "pruning_ratio", "mask_biases"})
_FIXED_MASKS: dict[str, frozenset[str] | None] = {
    "masks": _MASKS | {"networks"},
    "generator": frozenset({"head", "rank", "hidden_size", "use_trajectory_info", "encoding", "trajectory_window"}),
}
"""What the first masks, those of untrained generators, depend on."""

METHODS: dict[str, MethodSpec] = {
    "must": MethodSpec("MUST", {"masks": ALL, "generator": ALL}, task_masks=True),
    "mt_sac": MethodSpec("MT-SAC"),
    "mtmh_sac": MethodSpec("MTMH-SAC"),
    "soft_modularization": MethodSpec("Soft Modularization", {"soft_modularization": ALL}),
    "pcgrad": MethodSpec("PCGrad"),
    "cagrad": MethodSpec("CAGrad", {"cagrad": ALL}),
    "paco": MethodSpec("PaCo", {"paco": ALL}),
    "t3s": MethodSpec("T3S", {"t3s": ALL}),
    "static_sparse": MethodSpec("Static sparse", _FIXED_MASKS, task_masks=True),
    "shared_sparse": MethodSpec("Shared sparse", _FIXED_MASKS),
    "magnitude": MethodSpec(
        "Magnitude pruning",
        {"masks": _MASKS, "magnitude": ALL},
        conditions=dict.fromkeys(("masks.granularity", "masks.mask_biases"), ("magnitude.budget", "parameters")),
    ),
    "equal_cost": MethodSpec("MT-SAC, equal cost", {"masks": frozenset({"granularity", "pruning_ratio"})}),
    "single_task": MethodSpec("Single-task SAC"),
}
"""Name of each method -> what is known of it."""

MethodName = Literal[
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
]
"""The keys of `METHODS`, for the type checker and the schema (a test holds the two equal)."""


def value_of(config: Any, path: str) -> Any:
    """Return the value that a configuration has for a dotted key."""
    return reduce(getattr, path.split("."), config)


ROUTING_SIZES: dict[str, tuple[int, int, int]] = {"shallow": (2, 2, 256), "deep": (4, 4, 128)}
"""Published sizes of the routed networks: layers, modules in a layer, units of a module."""


class SoftModularizationConfig(Section):
    """Soft modularization (arXiv 2003.13661): layers of modules that a routing network mixes for each task.

    `network.hidden_sizes` is not read.
    """

    size: Literal["shallow", "deep"] = "shallow"
    """Published sizes: `shallow`, 2 layers of 2 modules of 256 units; `deep`, 4 layers of 4 modules of 128."""
    n_layers: Count | None = None
    """Layers of modules (default: those of `size`)."""
    n_modules: Count | None = None
    """Modules in a layer (default: those of `size`)."""
    module_size: Count | None = None
    """Units of a module (default: those of `size`)."""
    encoder_sizes: list[Count] = Field(default=[400, 400], min_length=1)
    """Layers of the state's encoder; the last one's size is the task embedding's as well."""
    routing_size: Count = 256
    """Units of the routing network's layers."""
    weighted_losses: Flag = True
    """Weigh the tasks' losses by K softmax(-log temperature), so that tasks that are mastered count more."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Layers, modules in a layer, units of a module."""
        layers, modules, units = ROUTING_SIZES[self.size]
        return self.n_layers or layers, self.n_modules or modules, self.module_size or units


class CagradConfig(Section):
    """Conflict-averse gradients (arXiv 2110.14048)."""

    c: Annotated[Real, Field(ge=0, lt=1)] = 0.9
    """Radius around the mean gradient, as a share of its length, in which the step is looked for; 0 is the mean
    gradient itself. Published: 0.9 for MT10, 0.5 for MT50."""


class PacoConfig(Section):
    """Parameter-compositional networks (arXiv 2210.11653): a task's parameters are a weighted sum of shared sets."""

    n_sets: Count = 5
    """Parameter sets of each network."""
    loss_threshold: Positive = 3e3
    """Loss of a task above which it is left out of a step and gets a new mixture of the other tasks' weights. Meant is
    the loss at the unscaled reward: the policy's divided by `env.reward_scale`, plus those of the Q networks divided by
    its square."""


class T3sConfig(Section):
    """Task-specific feature selector and task scheduler (T3S)."""

    selector_sizes: list[Count] = Field(default=[128, 128, 128], min_length=1)
    """Hidden layers of a task's feature selector."""
    extractor_size: Count = 64
    """Units between the selected features and the output, of each task."""
    scheduler_tau: Positive = 0.1
    """Temperature of the scheduler: the lower it is, the more weight goes to tasks that fail or get worse."""
    scheduler_window: Count = 10
    """Training episodes of a task that its success rate is taken from."""


class MagnitudeConfig(Section):
    """Gradual magnitude pruning (arXiv 2508.06871) to `masks.pruning_ratio`, the same for all tasks.

    Sparsity rises as s_final (1 - (1 - t)^power), t from 0 at `start` to 1 at `end`.
    """

    budget: Literal["ratio", "parameters"] = "ratio"
    """What is left at the end: `ratio`, 1 - `masks.pruning_ratio` of the weights of each layer; `parameters`, as many
    parameters as a task's network has under masks of `masks.granularity` and this ratio."""

    networks: Literal["actor", "both"] = "actor"
    """What is pruned: the policy alone, or the Q networks as well."""
    start: Fraction = 0.05
    """Share of the training epochs after which pruning starts."""
    end: Annotated[Real, Field(gt=0, le=1)] = 0.8
    """Share of the training epochs after which the final sparsity is reached."""
    interval: Count = 1
    """Training epochs between two steps of the schedule."""
    power: Positive = 3.0
    """Power of the schedule."""

    @model_validator(mode="after")
    def _check(self) -> MagnitudeConfig:
        if self.start >= self.end:
            raise ValueError(f"start is {self.start:g}, not before end = {self.end:g}: give start < end")
        return self
