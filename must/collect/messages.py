"""What a run asks of its workers, and what they answer. The learner imports this, and does without the simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from must.numpy_policy import NumpyPolicy
from must.types import Collected, Float32


@dataclass(frozen=True)
class RunnerState:
    """Where a task's collection stands: enough to go on exactly, in another process."""

    rng: dict[str, Any]
    """State of the task's random generator (plain numbers)."""
    goal: int
    """Goal of the episode in progress."""
    actions: Float32
    """(T, 4): actions taken in it so far; replaying them restores the simulator."""
    normaliser: tuple[float, ...] = ()
    """State of the task's `RewardNormaliser`."""


@dataclass(frozen=True)
class Collect:
    """Take steps in every task; answered with a list of `Collected`."""

    policy: NumpyPolicy | None
    """None draws uniform actions."""
    frames: int


@dataclass(frozen=True)
class Evaluate:
    """Evaluate every task; answered with a list of (success rate, mean return)."""

    policy: NumpyPolicy
    episodes: int
    horizon: int | None


@dataclass(frozen=True)
class GetState:
    """Answered with a list of `RunnerState`."""


@dataclass(frozen=True)
class SetState:
    """Restore every task; answered with None."""

    states: Sequence[RunnerState]


@dataclass(frozen=True)
class Failure:
    """Answer to a request that failed."""

    message: str
    expected: bool
    """Whether the message is written for the user (a `MustError`)."""


Request = Collect | Evaluate | GetState | SetState
Answer = list[Collected] | list[tuple[float, float]] | list[RunnerState] | None | Failure
