"""Networks of which the tasks share less than all: a head for each task, or a whole network for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from torch import Tensor, nn

from must.masks import Masks
from must.networks.base import BaseNetwork, TaskSize
from must.networks.fused_mlp import TaskParameters
from must.networks.initial import DEFAULT, HiddenLayers
from must.networks.mlp import MaskedMLP
from must.numpy_policy import MlpPolicy


class MultiHeadMLP(MaskedMLP):
    """A trunk that all tasks share, with the one-hot as an input, and a linear head for each task.

    The heads are one layer of K D_out units, of which a task reads its own: one large product instead of K small ones.
    """

    def __init__(
        self,
        n_members: int,
        in_dim: int,
        n_tasks: int,
        hidden_sizes: Sequence[int],
        out_dim: int,
        hidden: HiddenLayers = DEFAULT,
    ) -> None:
        """Draw the initial parameters; see `MaskedMLP`, whose ``out_dim`` is that of one head here."""
        super().__init__(n_members, in_dim, n_tasks, hidden_sizes, n_tasks * out_dim, hidden)

    def task_parameters(self, masks: Masks) -> Heads:  # type: ignore[override]  # read through its own interface
        """Put together what each task uses; see `BaseNetwork`."""
        return Heads(super().task_parameters(masks), self.n_tasks)

    def task_size(self) -> TaskSize:
        """Count the trunk and one head."""
        weights, biases = super().task_size()
        heads, width = math.prod(self.weight_shapes[-1]), self.out_dim
        return TaskSize(weights - heads + heads // self.n_tasks, biases - width + width // self.n_tasks)


class Heads(NamedTuple):
    """A trunk with heads in a gradient step; see `TaskFunction`."""

    of_all_tasks: TaskParameters
    n_tasks: int

    def forward(self, inputs: Tensor) -> Tensor:
        """Evaluate all members; see `TaskFunction`."""
        return self._own(self.of_all_tasks.forward(inputs))

    def forward_pair(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate all members at two batches; see `TaskFunction`."""
        outputs = self.of_all_tasks.forward_pair(first, second)
        return self._own(outputs[0]), self._own(outputs[1])

    def to_numpy(self, version: int) -> MlpPolicy:
        """Return the first member in numpy; see `TaskFunction`."""
        policy = self.of_all_tasks.to_numpy(version)
        (*trunk, head), (*trunk_biases, bias) = policy.weights, policy.biases
        heads = head[0].reshape(len(head[0]), self.n_tasks, -1).swapaxes(0, 1).copy()
        biases = (*trunk_biases, bias[0].reshape(self.n_tasks, -1))
        return replace(policy, weights=(*trunk, heads), biases=biases)

    def _own(self, outputs: Tensor) -> Tensor:
        """Pick each task's own head: (E, K, B, K D_out) -> (E, K, B, D_out)."""
        own: Tensor = outputs.unflatten(3, (self.n_tasks, -1)).diagonal(dim1=1, dim2=3)
        return own.permute(0, 3, 1, 2)


class SeparateMLPs(BaseNetwork):
    """A network of its own for each task: nothing is shared, and the one-hot is no input."""

    def __init__(
        self,
        n_members: int,
        in_dim: int,
        n_tasks: int,
        hidden_sizes: Sequence[int],
        out_dim: int,
        hidden: HiddenLayers = DEFAULT,
    ) -> None:
        """Draw the initial parameters; see `MaskedMLP`."""
        super().__init__()
        drawn = MaskedMLP(n_members * n_tasks, in_dim, 0, hidden_sizes, out_dim, hidden)
        self.flat = nn.Parameter(drawn.flat.detach().unflatten(0, (n_members, n_tasks)))
        """(E, K, P)"""
        self._widths, self._task_size = (in_dim, *hidden_sizes, out_dim), drawn.task_size()
        self._layer_norm = hidden.layer_norm

    def task_parameters(self, masks: Masks) -> TaskParameters:
        """Return the network of each task; there are no masks of it."""
        assert masks is None
        return TaskParameters(self.flat, self._widths, 0, layer_norm=self._layer_norm)

    def task_size(self) -> TaskSize:
        """Count the network of one task."""
        return self._task_size
