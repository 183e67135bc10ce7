"""Experts whose outputs are made orthogonal for each observation, mixed by task (arXiv 2311.11385)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from must.config import RunConfig
from must.errors import ConfigError
from must.masks import Masks
from must.methods.moore import MooreConfig
from must.methods.moore.policy import TINY, ExpertsPolicy
from must.networks import BaseNetwork, HiddenLayers, TaskSize
from must.networks.initial import DEFAULT, LayerShape
from must.networks.layers import Layer, MemberFunctions, Rows, chain, numpy_layers, take_layers, task_size


def experts(config: RunConfig, n_members: int, in_dim: int, out_dim: int, hidden: HiddenLayers) -> ExpertsNetwork:
    """Draw E networks; see `must.algorithms.Architecture`."""
    count, sizes = config.section(MooreConfig).n_experts, config.network.hidden_sizes
    if count > sizes[-1]:
        raise ConfigError(
            f"moore.n_experts: {count} vectors of {sizes[-1]} features (the last of network.hidden_sizes) cannot all "
            f"be orthogonal to each other; use at most {sizes[-1]} experts, or more features"
        )
    return ExpertsNetwork(n_members, in_dim, len(config.env.task_names), sizes, out_dim, count, hidden)


class _Member(NamedTuple):
    experts: tuple[Layer, ...]
    """Of n sets each."""
    head: tuple[Layer, ...]
    """One layer of K sets."""
    tasks: Tensor
    """(K, n): the weight of each expert for each task."""


class ExpertsNetwork(BaseNetwork):
    """E networks of n experts that all tasks share, and for each of K tasks a weight of each expert and a linear head.

    An expert is a perceptron whose last layer is linear; the one-hot is no input. The experts' outputs for an
    observation are made orthonormal by Gram and Schmidt's process, in their order. Their sum, weighted by task, goes
    through tanh into the task's head, as in the published code.
    """

    def __init__(
        self,
        n_members: int,
        in_dim: int,
        n_tasks: int,
        hidden_sizes: Sequence[int],
        out_dim: int,
        n_experts: int,
        hidden: HiddenLayers = DEFAULT,
    ) -> None:
        """Draw the initial parameters from torch's global generator; see `MaskedMLP`, and ``n_experts`` for n."""
        super().__init__()
        self._experts = [LayerShape(n_experts, *sizes) for sizes in pairwise((in_dim, *hidden_sizes))]
        self._head = [LayerShape(n_tasks, hidden_sizes[-1], out_dim, final=True)]
        self._tasks_shape, self._layer_norm = (n_tasks, n_experts), hidden.layer_norm
        layers = [values for shape in (*self._experts, *self._head) for values in shape.draw(n_members, hidden.init)]
        bound = math.sqrt(6 / (n_tasks + n_experts))  # Xavier's, as published
        tasks = torch.empty(n_members, n_tasks * n_experts).uniform_(-bound, bound)
        self.flat = nn.Parameter(torch.cat([*layers, tasks], dim=1))
        """(E, P): weights and biases of the experts' layers, then of the heads; then the tasks' weights."""

    def task_parameters(self, masks: Masks) -> ExpertsFunction:
        """View the parameters; there are no masks of them."""
        assert masks is None
        sizes = [size for shape in (*self._experts, *self._head) for size in shape.sizes]
        pieces = iter(self.flat.view(-1).split([*sizes, math.prod(self._tasks_shape)] * len(self.flat)))
        members = tuple(
            _Member(
                take_layers(pieces, self._experts),
                take_layers(pieces, self._head),
                next(pieces).view(self._tasks_shape),
            )
            for _ in range(len(self.flat))
        )
        return ExpertsFunction(members, self._layer_norm)

    def task_size(self) -> TaskSize:
        """Count the experts, a task's weights of them, and its head."""
        weights, biases = task_size([*self._experts, *(shape._replace(n_sets=1) for shape in self._head)])
        return TaskSize(weights + self._tasks_shape[1], biases)


@dataclass(frozen=True)
class ExpertsFunction(MemberFunctions[_Member]):
    """A mixture of experts as the tasks use it in a gradient step."""

    def evaluate(self, member: _Member, inputs: Tensor) -> Tensor:
        """Evaluate one member; see `MemberFunctions`."""
        rows, n_experts = Rows(*inputs.shape[:3]), member.tasks.shape[1]
        same = inputs.reshape(1, -1, inputs.shape[3]).expand(n_experts, -1, -1)
        vectors = orthonormal(chain(same, member.experts, rows, self.layer_norm))
        of_tasks = member.tasks[:, None]
        if rows.n_batches == 2:
            of_tasks = torch.stack((member.tasks, member.tasks.detach()), dim=1)
        shares = of_tasks[:, :, None].expand(*rows, -1).reshape(-1, n_experts)
        features = (shares.T.unsqueeze(2) * vectors).sum(0).tanh()
        return chain(features.view(rows.n_tasks, -1, features.shape[1]), member.head, rows, norm=False).reshape(
            *rows, -1
        )

    def to_numpy(self, version: int) -> ExpertsPolicy:
        """Return the first member in numpy; see `TaskFunction`."""
        own, head, tasks = self.members[0]
        shares = tasks.cpu().numpy().copy()
        return ExpertsPolicy(version, shares, numpy_layers(own), numpy_layers(head), layer_norm=self.layer_norm)


def orthonormal(vectors: Tensor) -> Tensor:
    """Make vectors (n, R, H) orthogonal to each other and of length 1, in their order."""
    basis = list[Tensor]()
    for vector in vectors:
        rest = vector
        for unit in basis:
            rest = rest - (rest * unit).sum(-1, keepdim=True) * unit
        basis.append(rest * (rest.square().sum(-1, keepdim=True) + TINY).rsqrt())
    return torch.stack(basis)
