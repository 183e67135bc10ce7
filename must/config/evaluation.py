"""The section of a configuration that says how policies are judged."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, model_validator

from must.sections import AutoFlag, Count, Section
from must.tasks import MAX_HORIZON

PROTOCOLS: dict[str, dict[str, int]] = {"original": {"interval": 1, "episodes": 3}, "standard": {"episodes": 50}}
"""Evaluation protocols, and the keys that they settle."""


class Episodes(NamedTuple):
    """The episodes of each task in an evaluation."""

    number: int
    horizon: int
    """Environment steps of each."""


class EvaluationConfig(Section):
    """How the policy is judged: mean action, the published masks, seeds of its own."""

    protocol: Literal["original", "standard"] | None = None
    """`original`: 3 episodes of each task after every epoch. `standard`: 50 episodes of each task, each of its 50 train
    goals exactly once, horizon 500, at an interval of choice. When left out, the keys below say it."""
    interval: Count = 10
    """Epochs between two evaluations; the last epoch is always evaluated. Settled by `protocol: original`."""
    episodes: Annotated[int, Field(ge=1, le=50)] = 3
    """Episodes of each task in an evaluation; with random goals, each on another of the 50 train goals. Settled by a
    `protocol`."""
    final_episodes: Annotated[int, Field(ge=1, le=50)] | None = None
    """Episodes of each task in the last evaluation (default: `episodes`). A run can be followed at few episodes and
    judged by all 50 goals; the tables then show the last evaluation alone."""
    final_horizon: Annotated[int, Field(ge=1, le=MAX_HORIZON)] | None = None
    """Environment steps of an episode of the last evaluation (default: `env.horizon`). 500 is the standard, also where
    training episodes are shorter."""
    beside: AutoFlag = "auto"
    """Evaluate in processes of their own while the next epochs collect and learn; the result does not depend on it.
    `auto`: where the learner has a GPU, there is more than one core, and no live log."""

    @model_validator(mode="before")
    @classmethod
    def _settle(cls, data: Any) -> Any:
        settled = PROTOCOLS.get(str(data.get("protocol")), {}) if isinstance(data, dict) else {}
        for key, value in settled.items():
            if data.get(key, value) != value:
                raise ValueError(f"protocol: {data['protocol']} sets {key} to {value}; leave it out, or the protocol")
        return {**settled, **data} if settled else data
