"""The policy as collectors run it: numpy alone, one task and one observation at a time.

Each task's actions come from matrix products of its own, never batched with other tasks': the size of a batch changes
the last bits of a product, and the result must not depend on how tasks are spread over workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from must.types import ACTION_DIM, LOG_STD_MAX, LOG_STD_MIN, Float32


@dataclass(frozen=True)
class ActingPolicy:
    """A published policy: the parameters each task uses, and the version of the masks they were cut out with."""

    version: int
    """Version of the mask set."""
    weights: tuple[Float32, ...]
    """For each layer (K, D_in, D_out), or (1, D_in, D_out) where all tasks share it."""
    biases: tuple[Float32, ...]
    """For each layer (K, D_out), or (1, D_out)."""

    def for_tasks(self, tasks: Sequence[int]) -> ActingPolicy:
        """Keep the parameters of some tasks only, in that order."""
        index = list(tasks)

        def pick(values: Float32) -> Float32:
            return values if len(values) == 1 else values[index]

        return ActingPolicy(
            self.version, tuple(pick(weight) for weight in self.weights), tuple(pick(bias) for bias in self.biases)
        )

    def act(self, task: int, observation: Float32, noise: Float32 | None) -> Float32:
        """Give an action (4,) in [-1, 1].

        Args:
            task: Position of the task among those the policy was cut for.
            observation: (D,)
            noise: (4,) standard normal numbers, or None for the mean action.
        """
        hidden = observation
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = hidden @ weight[task if len(weight) > 1 else 0] + bias[task if len(bias) > 1 else 0]
            if layer < last:
                np.maximum(hidden, 0, out=hidden)
        mean = hidden[:ACTION_DIM]
        if noise is None:
            return np.tanh(mean)
        return np.tanh(mean + np.exp(np.clip(hidden[ACTION_DIM:], LOG_STD_MIN, LOG_STD_MAX)) * noise)
