"""The policy as collectors run it: numpy alone, one observation of each of a worker's tasks at a time.

Each task's actions come from vector-matrix products of its own, of which numpy does one after the other: were tasks
batched in one product, the size of the batch would change its last bits, and the result must not depend on how tasks
are spread over workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from must.types import ACTION_DIM, LAYER_NORM_EPSILON, LOG_STD_MAX, LOG_STD_MIN, Float32


class NumpyPolicy(Protocol):
    """A published policy. It travels to the workers, so it is data, in numpy."""

    @property
    def version(self) -> int:
        """Version of the mask set that it was made with."""
        ...

    def for_tasks(self, tasks: Sequence[int]) -> NumpyPolicy:
        """Keep what some tasks need, in that order."""
        ...

    def act(self, observations: Float32, noise: Float32 | None) -> Float32:
        """Return each task's action in [-1, 1] (K, 4).

        Args:
            observations: (K, D), of the tasks that the policy was cut for.
            noise: (K, 4) standard normal numbers, or None for the mean actions.
        """
        ...


@dataclass(frozen=True)
class MlpPolicy:
    """A policy that is a multi-layer perceptron for each task; see `NumpyPolicy`."""

    version: int
    """Version of the mask set."""
    weights: tuple[Float32, ...]
    """For each layer (K, D_in, D_out), or (1, D_in, D_out) where all tasks share it."""
    biases: tuple[Float32, ...]
    """For each layer (K, D_out), or (1, D_out)."""
    layer_norm: bool = False
    """Whether what goes into the ReLUs is normalised."""

    def for_tasks(self, tasks: Sequence[int]) -> MlpPolicy:
        """Keep the parameters of some tasks only, in that order."""
        index = list(tasks)

        def pick(values: Float32) -> Float32:
            return values if len(values) == 1 else values[index]

        weights, biases = (tuple(pick(values) for values in part) for part in (self.weights, self.biases))
        return replace(self, weights=weights, biases=biases)

    def act(self, observations: Float32, noise: Float32 | None) -> Float32:
        """Return each task's action; see `NumpyPolicy`."""
        outputs = layers(observations[:, None], self.weights, self.biases, self.layer_norm)
        return squashed(outputs[:, 0], noise)


@dataclass(frozen=True)
class Layers:
    """Linear layers, or sets of them; see `layers`."""

    weights: tuple[Float32, ...]
    biases: tuple[Float32, ...]

    def __call__(self, inputs: Float32, layer_norm: bool = False) -> Float32:
        """Evaluate them with ReLU in between: (K, 1, D_in) -> (K, 1, D_out)."""
        return layers(inputs, self.weights, self.biases, layer_norm)

    def only(self, number: int) -> Layers:
        """Keep one of them."""
        return Layers((self.weights[number],), (self.biases[number],))

    def of_tasks(self, tasks: Sequence[int]) -> Layers:
        """Keep, of layers that each task has of its own, those of some tasks, in that order."""
        index = list(tasks)
        return Layers(tuple(weight[index] for weight in self.weights), tuple(bias[index] for bias in self.biases))


def layers(inputs: Float32, weights: Sequence[Float32], biases: Sequence[Float32], layer_norm: bool = False) -> Float32:
    """Evaluate layers with ReLU between them: (K, 1, D_in) -> (K, 1, D_out).

    Args:
        inputs: (K, 1, D_in)
        weights: For each layer (K or 1, D_in, D_out).
        biases: For each layer (K or 1, D_out).
        layer_norm: Whether to normalise what goes into the ReLUs.
    """
    hidden = inputs
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if layer > 0:
            hidden = activated(hidden, layer_norm)
        hidden = np.matmul(hidden, weight)
        hidden += bias[:, None]
    return hidden


def activated(values: Float32, layer_norm: bool) -> Float32:
    """Apply ReLU to (..., H), in place; with ``layer_norm`` to what is normalised over the last axis."""
    values = normalised(values) if layer_norm else values
    np.maximum(values, 0, out=values)
    return values


def normalised(values: Float32) -> Float32:
    """Return (..., H) with mean 0 and variance 1 over the last axis, as `must.networks.norm` does."""
    centred: Float32 = values - values.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    centred /= np.sqrt(variance + np.float32(LAYER_NORM_EPSILON))
    return centred


def squashed(outputs: Float32, noise: Float32 | None) -> Float32:
    """Return actions (K, 4) from a policy's outputs (K, 8), means and log standard deviations; see `NumpyPolicy`."""
    mean, log_std = outputs[:, :ACTION_DIM], outputs[:, ACTION_DIM:]
    if noise is None:
        return np.tanh(mean)
    return np.tanh(mean + np.exp(np.clip(log_std, LOG_STD_MIN, LOG_STD_MAX)) * noise)
