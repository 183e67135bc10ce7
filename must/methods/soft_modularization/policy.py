"""The modular policy as collectors run it, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from must.numpy_policy import Layers, normalised, squashed
from must.types import Float32


@dataclass(frozen=True)
class RoutedPolicy:
    """A policy of layers of modules, mixed by a routing network; see `NumpyPolicy` and `ModularNetwork`."""

    version: int
    tasks: Float32
    """(K, F): each task's encoding."""
    encoder: Layers
    routing: Layers
    probabilities: Layers
    past: Layers
    modules: Layers
    """For each layer its n modules, (n, D_in, D_out)."""
    output: Layers
    layer_norm: bool = field(default=False, kw_only=True)
    """Whether hidden layers are normalised."""

    def for_tasks(self, tasks: Sequence[int]) -> RoutedPolicy:
        """Keep the encodings of some tasks only, in that order."""
        return replace(self, tasks=self.tasks[list(tasks)])

    def act(self, observations: Float32, noise: Float32 | None) -> Float32:
        """Return each task's action; see `NumpyPolicy`."""
        features = self._hidden(self.encoder(observations[:, None], self.layer_norm))
        hidden = np.maximum(features, 0)
        for shares, weight, bias in zip(self._route(features), self.modules.weights, self.modules.biases, strict=True):
            outputs = np.matmul(hidden[:, :, None], weight)[:, :, 0] + bias
            hidden = np.maximum(self._hidden(np.matmul(shares, outputs)), 0)
        return squashed(self.output(hidden)[:, 0], noise)

    def _route(self, features: Float32) -> list[Float32]:
        """Return what each layer's outputs count for the modules after it: (K, n, n), at last (K, 1, n)."""
        n_modules = len(self.modules.weights[0])
        routing = self._hidden(self.routing(np.maximum(features * self.tasks[:, None], 0), self.layer_norm))
        hidden, found = routing, list[Float32]()
        for number in range(len(self.modules.weights)):
            if number > 0:
                past = np.concatenate([shares.reshape(len(shares), 1, -1) for shares in found], axis=2)
                hidden = routing * self.past.only(number - 1)(past)
            logits = self.probabilities.only(number)(np.maximum(hidden, 0)).reshape(len(features), -1, n_modules)
            shares = np.exp(logits - logits.max(axis=2, keepdims=True))
            found.append(shares / shares.sum(axis=2, keepdims=True))
        return found

    def _hidden(self, values: Float32) -> Float32:
        return normalised(values) if self.layer_norm else values
