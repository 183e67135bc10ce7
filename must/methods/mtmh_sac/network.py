"""A trunk that all tasks share, and a head for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

from must.config import RunConfig
from must.masks import Masks, SubNetworks, WeightMasks, topk
from must.networks import HiddenLayers, MaskedMLP, TaskFunction, TaskParameters, TaskSize
from must.networks.initial import DEFAULT
from must.networks.mlp import cut_places
from must.numpy_policy import MlpPolicy


def heads(config: RunConfig, n_members: int, in_dim: int, out_dim: int, hidden: HiddenLayers) -> MultiHeadMLP:
    """Draw E networks; see `must.algorithms.Architecture`."""
    return MultiHeadMLP(n_members, in_dim, len(config.env.task_names), config.network.hidden_sizes, out_dim, hidden)


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

    @property
    def task_out_dim(self) -> int:
        """Features of a head."""
        return self.out_dim // self.n_tasks

    def task_parameters(self, masks: Masks) -> TaskFunction:  # type: ignore[override]  # read through its own interface
        """Return what each task uses; see `BaseNetwork`. Masks cut its own head, or the layer of all heads."""
        if isinstance(masks, SubNetworks):
            return super().task_parameters(masks)
        whole = sum(math.prod(shape) for shape in self.weight_shapes)
        if not isinstance(masks, WeightMasks) or masks.elements.shape[2] >= whole:
            return Heads(super().task_parameters(masks), self.n_tasks)
        positions, n_masked = self._own_positions(), masks.elements.shape[2]
        if topk.on_host(self.flat):
            own = self.flat.index_select(1, positions.view(-1)).view(len(self.flat), *positions.shape)
        else:
            own = cut_places(self.flat, positions.expand(len(self.flat), -1, -1))
        masked = torch.cat((own[..., :n_masked] * masks.elements, own[..., n_masked:]), dim=2)
        widths = self.in_dim, *self.hidden_sizes, self.task_out_dim
        return TaskParameters(masked, widths, self.n_tasks, layer_norm=self._layer_norm)

    def task_copies(self) -> tuple[Heads, Tensor]:
        """Return what each task uses of a copy of its own, and the copies; see `BaseNetwork`."""
        copies = self.flat.detach().unsqueeze(1).repeat(1, self.n_tasks, 1).requires_grad_()
        return Heads(super().task_parameters(None)._replace(flat=copies), self.n_tasks), copies

    def _own_positions(self) -> Tensor:
        """Return where the parameters of trunk and own head lie in ``flat``, weights before biases: (K, P)."""
        shapes, device = self.weight_shapes, self.flat.device
        starts = list(accumulate([*(math.prod(shape) for shape in shapes), *(width for _, width in shapes)], initial=0))
        trunk = torch.arange(starts[len(shapes) - 1], device=device).expand(self.n_tasks, -1)
        trunk_biases = torch.arange(starts[len(shapes)], starts[-2], device=device).expand(self.n_tasks, -1)
        own = torch.arange(self.out_dim, device=device).view(self.n_tasks, -1)
        rows = starts[len(shapes) - 1] + torch.arange(self.hidden_sizes[-1], device=device) * self.out_dim
        head = (rows.view(1, -1, 1) + own[:, None]).flatten(1)
        return torch.cat((trunk, head, trunk_biases, starts[-2] + own), dim=1)

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
