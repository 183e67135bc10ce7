"""A trunk that all tasks share, of whose features each task selects some and makes its own of them (T3S)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from must.config import RunConfig
from must.masks import Masks
from must.methods.t3s import T3sConfig
from must.methods.t3s.policy import SelectedPolicy
from must.networks import BaseNetwork, HiddenLayers, TaskSize
from must.networks.initial import DEFAULT, Init, LayerShape
from must.networks.layers import (
    Layer,
    MemberFunctions,
    Rows,
    chain,
    layer,
    numpy_layers,
    take_layers,
    task_size,
)


def selected(config: RunConfig, n_members: int, in_dim: int, out_dim: int, hidden: HiddenLayers) -> SelectedNetwork:
    """Draw E networks; see `must.algorithms.Architecture`."""
    own, n_tasks, sizes = config.section(T3sConfig), len(config.env.task_names), config.network.hidden_sizes
    return SelectedNetwork(n_members, in_dim, n_tasks, sizes, out_dim, own.selector_sizes, own.extractor_size, hidden)


class SelectedNetwork(BaseNetwork):
    """E networks of a shared trunk and, for each of K tasks, a feature selector and an extractor.

    A task's selector takes the output of the trunk's first layer, and computes a factor in (0, 1) on each feature of
    its last one; the extractor makes the network's output of what is left. The parameters of selector and extractor are
    what a linear hypernetwork makes of the one-hot: a set of all tasks, W_0, plus one of the task, T_k. Both are drawn
    such that the sum is spread as an ordinary layer's weights are.
    """

    def __init__(
        self,
        n_members: int,
        in_dim: int,
        n_tasks: int,
        hidden_sizes: Sequence[int],
        out_dim: int,
        selector_sizes: Sequence[int],
        extractor_size: int,
        hidden: HiddenLayers = DEFAULT,
    ) -> None:
        """Draw the initial parameters from torch's global generator.

        Args:
            n_members: E.
            in_dim: Features of the input, without the one-hot.
            n_tasks: K.
            hidden_sizes: Units of the trunk's layers.
            out_dim: Features of the output.
            selector_sizes: Units of a selector's hidden layers.
            extractor_size: Units of an extractor's hidden layer.
            hidden: How the hidden layers are initialised and evaluated.
        """
        super().__init__()
        self._n_tasks, self._layer_norm, features = n_tasks, hidden.layer_norm, hidden_sizes[-1]
        self._trunk = [LayerShape(1, *sizes) for sizes in pairwise((in_dim, *hidden_sizes))]
        self._selector = [LayerShape(1, *sizes) for sizes in pairwise((hidden_sizes[0], *selector_sizes, features))]
        self._extractor = [
            LayerShape(1, features, extractor_size),
            LayerShape(1, extractor_size, out_dim, final=True),
        ]
        trunk = [values for shape in self._trunk for values in shape.draw(n_members, hidden.init)]
        sets = [self._draw_set(n_members, hidden.init, number == 0) for number in range(n_tasks + 1)]
        self.flat = nn.Parameter(torch.cat(trunk + sets, dim=1))
        """(E, P): weights and biases of the trunk's layers; those of selector and extractor, W_0 and then T_k of each
        task."""

    def task_parameters(self, masks: Masks) -> SelectedFunction:
        """Compose each task's parameters; there are no masks of them."""
        assert masks is None
        n_own = sum(self._own_sizes)
        sizes = [*(size for shape in self._trunk for size in shape.sizes), n_own, self._n_tasks * n_own]
        pieces = iter(self.flat.view(-1).split(sizes * len(self.flat)))
        members = []
        for _ in range(len(self.flat)):
            trunk = take_layers(pieces, self._trunk)
            base, tables = next(pieces), next(pieces)
            own = iter((tables.view(self._n_tasks, n_own) + base).split(self._own_sizes, dim=1))
            members.append(_Member(trunk, take_layers(own, self._selector), take_layers(own, self._extractor)))
        return SelectedFunction(tuple(members), self._layer_norm)

    def task_size(self) -> TaskSize:
        """Count the network of one task, its selector and extractor composed."""
        return task_size([*self._trunk, *self._selector, *self._extractor])

    @property
    def _own_sizes(self) -> list[int]:
        """Weights and biases of each of a task's own layers."""
        return [size for shape in (*self._selector, *self._extractor) for size in shape.sizes]

    def _draw_set(self, n_members: int, init: Init, of_all: bool) -> Tensor:
        """Draw W_0 or a T_k: (E, S)."""
        drawn = []
        for shape in (*self._selector, *self._extractor):
            weights, biases = shape.draw(n_members, init)
            drawn.append(weights / math.sqrt(2))
            if shape.final:
                drawn.append(biases / math.sqrt(2))
            else:  # the same for every task, which the sum of both sets must give once
                drawn.append(biases if of_all else torch.zeros_like(biases))
        return torch.cat(drawn, dim=1)


class _Member(NamedTuple):
    trunk: tuple[Layer, ...]
    """Of one set each."""
    selector: tuple[Layer, ...]
    """Of K sets each."""
    extractor: tuple[Layer, ...]
    """Of K sets each; its hidden layer and the network's output."""


@dataclass(frozen=True)
class SelectedFunction(MemberFunctions[_Member]):
    """A network with feature selectors as the tasks use it in a gradient step."""

    def evaluate(self, member: _Member, inputs: Tensor) -> Tensor:
        """Evaluate one member; see `MemberFunctions`."""
        rows = Rows(*inputs.shape[:3])
        norm = self.layer_norm
        first = layer(inputs.reshape(1, -1, inputs.shape[3]), member.trunk[0], rows, relu=True, norm=norm)
        last = chain(first, member.trunk[1:], rows, norm, last="hidden")
        own_first, own_last = (values.view(rows.n_tasks, -1, values.shape[2]) for values in (first, last))
        selected = own_last * chain(own_first, member.selector, rows, norm).sigmoid()
        return chain(selected, member.extractor, rows, norm).reshape(*rows, -1)

    def to_numpy(self, version: int) -> SelectedPolicy:
        """Return the first member in numpy; see `TaskFunction`."""
        trunk, selector, extractor = self.members[0]
        return SelectedPolicy(
            version,
            *(numpy_layers(part) for part in (trunk[:1], trunk[1:], selector, extractor)),
            layer_norm=self.layer_norm,
        )
