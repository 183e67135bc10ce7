"""The policy of orthogonal experts as collectors run it, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from must.numpy_policy import Layers, activated, squashed
from must.types import Float32

TINY = 1e-12
"""Added to the squared length that a vector is divided by the root of."""


@dataclass(frozen=True)
class ExpertsPolicy:
    """A policy of experts that each task weighs; see `NumpyPolicy` and `ExpertsNetwork`."""

    version: int
    tasks: Float32
    """(K, n): the weight of each expert for each task."""
    experts: Layers
    """(n, D_in, D_out) of each layer."""
    head: Layers
    """Each task's own."""
    layer_norm: bool = field(default=False, kw_only=True)
    """Whether hidden layers are normalised."""

    def for_tasks(self, tasks: Sequence[int]) -> ExpertsPolicy:
        """Keep weights and heads of some tasks only, in that order."""
        return replace(self, tasks=self.tasks[list(tasks)], head=self.head.of_tasks(tasks))

    def act(self, observations: Float32, noise: Float32 | None) -> Float32:
        """Return each task's action; see `NumpyPolicy`."""
        hidden = observations[:, None]
        for number, (weight, bias) in enumerate(zip(self.experts.weights, self.experts.biases, strict=True)):
            hidden = activated(hidden, self.layer_norm) if number > 0 else hidden
            hidden = np.matmul(hidden[:, :, None], weight)[:, :, 0] + bias
        vectors = orthonormal(hidden)
        features = vectors[:, 0] * self.tasks[:, :1]
        for number in range(1, vectors.shape[1]):
            features = features + vectors[:, number] * self.tasks[:, number : number + 1]
        return squashed(self.head(np.tanh(features)[:, None])[:, 0], noise)


def orthonormal(vectors: Float32) -> Float32:
    """Make vectors (K, n, H) of each task orthogonal to each other and of length 1, in their order."""
    basis = list[Float32]()
    for number in range(vectors.shape[1]):
        rest = vectors[:, number]
        for unit in basis:
            rest = rest - (rest * unit).sum(axis=-1, keepdims=True) * unit
        basis.append(rest / np.sqrt(np.square(rest).sum(axis=-1, keepdims=True) + np.float32(TINY)))
    return np.stack(basis, axis=1)
