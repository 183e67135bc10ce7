"""The policy with feature selectors as collectors run it, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from must.numpy_policy import Layers, activated, squashed
from must.types import Float32


@dataclass(frozen=True)
class SelectedPolicy:
    """A policy of which each task selects features; see `NumpyPolicy` and `SelectedNetwork`."""

    version: int
    first: Layers
    """The trunk's first layer."""
    others: Layers
    """The trunk's other layers."""
    selector: Layers
    """Each task's own."""
    extractor: Layers
    """Each task's own, with the output."""
    layer_norm: bool = field(default=False, kw_only=True)
    """Whether hidden layers are normalised."""

    def for_tasks(self, tasks: Sequence[int]) -> SelectedPolicy:
        """Keep selectors and extractors of some tasks only, in that order."""
        return replace(self, selector=self.selector.of_tasks(tasks), extractor=self.extractor.of_tasks(tasks))

    def act(self, observations: Float32, noise: Float32 | None) -> Float32:
        """Return each task's action; see `NumpyPolicy`."""
        first = activated(self.first(observations[:, None]), self.layer_norm)
        last = activated(self.others(first, self.layer_norm), self.layer_norm) if self.others.weights else first
        logits = self.selector(first, self.layer_norm)
        shares = 0.5 + 0.5 * np.tanh(0.5 * logits)  # a sigmoid that does not overflow
        return squashed(self.extractor(shares * last, self.layer_norm)[:, 0], noise)
