"""One perceptron for all tasks, with the task's one-hot as an input."""

from __future__ import annotations

from must.config import RunConfig
from must.networks import HiddenLayers, MaskedMLP


def shared(config: RunConfig, n_members: int, in_dim: int, out_dim: int, hidden: HiddenLayers) -> MaskedMLP:
    """Draw E networks; see `must.algorithms.Architecture`."""
    return MaskedMLP(n_members, in_dim, len(config.env.task_names), config.network.hidden_sizes, out_dim, hidden)
