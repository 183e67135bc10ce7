"""Rewards divided by a running estimate of how much they vary, as Meta-World's own wrappers and papers do.

The estimate follows the rewards of a task's training episodes, one step after another, so its state belongs to the
collection and goes into checkpoints. Evaluations report rewards as the simulator gives them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol


class RewardNormaliser(Protocol):
    """Divides the rewards of one task."""

    def __call__(self, reward: float) -> float:
        """Take the next reward into account, and return it normalised."""

    @property
    def state(self) -> tuple[float, ...]:
        """Everything that the next rewards depend on."""

    def restore(self, state: Sequence[float]) -> None:
        """Load what `state` returned."""


class Exponential:
    """Divides by the root of an exponentially weighted variance of the rewards (garage's `normalize`).

    The mean is not subtracted. Meta-World's wrapper of the same kind counts each reward twice; this one counts it once.
    """

    SHARE = 0.001
    """Weight of a new reward, garage's and Meta-World's."""

    def __init__(self) -> None:
        self._mean, self._variance = 0.0, 1.0

    def __call__(self, reward: float) -> float:
        """Return the reward over the estimated standard deviation."""
        self._mean += self.SHARE * (reward - self._mean)
        self._variance += self.SHARE * ((reward - self._mean) ** 2 - self._variance)
        return reward / (math.sqrt(self._variance) + 1e-8)

    @property
    def state(self) -> tuple[float, ...]:
        """Mean and variance."""
        return self._mean, self._variance

    def restore(self, state: Sequence[float]) -> None:
        """Load what `state` returned."""
        self._mean, self._variance = state


class OfReturns:
    """Divides by the standard deviation of the discounted sum of rewards, as gymnasium's `NormalizeReward` does.

    The sum goes on over the time limit, which ends no episode in the sense of that wrapper.
    """

    GAMMA = 0.99
    """Discount factor of the sum, gymnasium's default, which Meta-World keeps."""

    def __init__(self) -> None:
        self._sum, self._mean, self._variance, self._count = 0.0, 0.0, 1.0, 1e-4

    def __call__(self, reward: float) -> float:
        """Return the reward over the standard deviation of the discounted sums."""
        self._sum = self.GAMMA * self._sum + reward
        difference, total = self._sum - self._mean, self._count + 1
        self._mean += difference / total
        self._variance = (self._variance * self._count + difference**2 * self._count / total) / total
        self._count = total
        return reward / math.sqrt(self._variance + 1e-8)

    @property
    def state(self) -> tuple[float, ...]:
        """Discounted sum, and mean, variance and number of those so far."""
        return self._sum, self._mean, self._variance, self._count

    def restore(self, state: Sequence[float]) -> None:
        """Load what `state` returned."""
        self._sum, self._mean, self._variance, self._count = state


class Unchanged:
    """Leaves rewards as they are."""

    state: tuple[float, ...] = ()

    def __call__(self, reward: float) -> float:
        """Return the reward."""
        return reward

    def restore(self, state: Sequence[float]) -> None:
        """Do nothing: there is no state."""


NORMALISERS: dict[str | None, type[Unchanged | Exponential | OfReturns]] = {
    None: Unchanged,
    "exponential": Exponential,
    "gymnasium": OfReturns,
}
"""What ``env.reward_normalisation`` may be."""
