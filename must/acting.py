"""The policy as collectors run it: numpy alone, one observation of each of a worker's tasks at a time.

Each task's actions come from vector-matrix products of its own, of which numpy does one after the other: were tasks
batched in one product, the size of the batch would change its last bits, and the result must not depend on how tasks
are spread over workers.
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

    def act(self, observations: Float32, noise: Float32 | None) -> Float32:
        """Give each task's action in [-1, 1] (K, 4).

        Args:
            observations: (K, D), of the tasks that the policy was cut for.
            noise: (K, 4) standard normal numbers, or None for the mean actions.
        """
        hidden = observations[:, None]
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if layer > 0:
                np.maximum(hidden, 0, out=hidden)
            hidden = np.matmul(hidden, weight)
            hidden += bias[:, None]
        mean, log_std = hidden[:, 0, :ACTION_DIM], hidden[:, 0, ACTION_DIM:]
        if noise is None:
            return np.tanh(mean)
        return np.tanh(mean + np.exp(np.clip(log_std, LOG_STD_MIN, LOG_STD_MAX)) * noise)
