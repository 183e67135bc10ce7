"""Gradual magnitude pruning: the smallest weights are cut away little by little, the same for all tasks.

arXiv 1710.01878; in multi-task reinforcement learning arXiv 2508.06871.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from must.methods.spec import ALL, MASKS, MethodSpec, Part, SweptKey
from must.sections import Count, Fraction, Positive, Real, Section


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


SPEC = MethodSpec(
    "Magnitude pruning",
    (
        Part(
            MASKS,
            "magnitude",
            "must.methods.magnitude.masks:MagnitudeMasks",
            reads={"masks": frozenset({"granularity", "pruning_ratio", "mask_biases"}), "magnitude": ALL},
            conditions=dict.fromkeys(("masks.granularity", "masks.mask_biases"), ("magnitude.budget", "parameters")),
            needs={"maskable": "masks cut parts out of perceptrons"},
            plain_products=True,
        ),
    ),
    {"magnitude": MagnitudeConfig},
    (
        SweptKey("magnitude.networks", "networks", "Pruned networks", "magnitude_networks"),
        SweptKey("magnitude.budget", "budget", "Budget", "magnitude_budgets", needs_masks=True),
    ),
)
