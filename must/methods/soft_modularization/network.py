"""Layers of modules, mixed for each observation and task by a routing network (arXiv 2003.13661)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from must.config import RunConfig
from must.masks import Masks
from must.methods.soft_modularization import SoftModularizationConfig
from must.methods.soft_modularization.policy import RoutedPolicy
from must.networks import BaseNetwork, HiddenLayers, TaskSize
from must.networks.initial import DEFAULT, LayerShape
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
from must.networks.norm import layer_norm

_T = TypeVar("_T")


def modular(config: RunConfig, n_members: int, in_dim: int, out_dim: int, hidden: HiddenLayers) -> ModularNetwork:
    """Draw E networks; see `must.algorithms.Architecture`."""
    own, n_tasks = config.section(SoftModularizationConfig), len(config.env.task_names)
    return ModularNetwork(n_members, in_dim, n_tasks, out_dim, own.shape, own.encoder_sizes, own.routing_size, hidden)


class _Parts(NamedTuple, Generic[_T]):
    """What a network is made of: for each part its layers' shapes, or parameters."""

    encoder: tuple[_T, ...]
    """Of the inputs."""
    routing: tuple[_T, ...]
    """From f * h to what all of the routing's steps see, g."""
    probabilities: tuple[_T, ...]
    """For each layer of modules, to the logits of its mixing."""
    past: tuple[_T, ...]
    """For each layer of modules but the first one, from the probabilities of those before to a factor on g."""
    modules: tuple[_T, ...]
    """For each layer of modules all of its n modules."""
    output: tuple[_T, ...]
    """One layer."""


class _Member(NamedTuple):
    parts: _Parts[Layer]
    tasks: Tensor
    """(K, F): h of each task."""


class ModularNetwork(BaseNetwork):
    """E networks of L layers of n modules, for K tasks.

    The inputs (without the one-hot) are encoded, f, and so is the task, h. From f * h the routing network makes a
    probability for each pair of modules in successive layers. The input of a module is the ReLU of the sum of the
    outputs of the layer before, each times its probability; the first layer's modules all see f.

    With layer normalisation f, the routing network's layers (g too) and the sums of modules' outputs are normalised,
    each over its own units.
    """

    def __init__(
        self,
        n_members: int,
        in_dim: int,
        n_tasks: int,
        out_dim: int,
        shape: tuple[int, int, int],
        encoder_sizes: Sequence[int],
        routing_size: int,
        hidden: HiddenLayers = DEFAULT,
    ) -> None:
        """Draw the initial parameters from torch's global generator.

        Args:
            n_members: E.
            in_dim: Features of the input, without the one-hot.
            n_tasks: K.
            out_dim: Features of the output.
            shape: L, n, and the units of a module.
            encoder_sizes: Units of each layer of the encoder; the last one's are those of a task's encoding as well.
            routing_size: Units of the routing network's layers.
            hidden: How the hidden layers are initialised and evaluated.
        """
        super().__init__()
        n_layers, n_modules, units = shape
        features, pairs = encoder_sizes[-1], n_modules**2
        modules = LayerShape(n_modules, units, units)
        self._shapes = _Parts(
            encoder=tuple(LayerShape(1, *sizes) for sizes in pairwise((in_dim, *encoder_sizes))),
            routing=tuple(LayerShape(1, *sizes) for sizes in pairwise((features, routing_size, routing_size))),
            probabilities=tuple(
                LayerShape(1, routing_size, n_modules if last else pairs, final=True)
                for last in [False] * (n_layers - 1) + [True]
            ),
            past=tuple(LayerShape(1, number * pairs, routing_size) for number in range(1, n_layers)),
            modules=(modules._replace(fan_in=features), *[modules] * (n_layers - 1)),
            output=(LayerShape(1, units, out_dim, final=True),),
        )
        """Shapes of all parts' layers."""
        self._tasks_shape, self._layer_norm = (n_tasks, features), hidden.layer_norm
        layers = [shape.draw(n_members, hidden.init) for part in self._shapes for shape in part]
        tasks, _ = LayerShape(1, n_tasks, features, task_inputs=1).draw(n_members, hidden.init)  # has no biases
        self.flat = nn.Parameter(torch.cat([*(values for layer in layers for values in layer), tasks], dim=1))
        """(E, P): weights and biases of each layer, in the order of the parts; then the tasks' encodings."""

    def task_parameters(self, masks: Masks) -> RoutedFunction:
        """View the parameters; there are no masks of them."""
        assert masks is None
        sizes = [size for part in self._shapes for shape in part for size in shape.sizes]
        sizes.append(math.prod(self._tasks_shape))
        pieces = iter(self.flat.view(-1).split(sizes * len(self.flat)))
        return RoutedFunction(
            tuple(
                _Member(
                    _Parts(*(take_layers(pieces, shapes) for shapes in self._shapes)),
                    next(pieces).view(self._tasks_shape),
                )
                for _ in range(len(self.flat))
            ),
            self._layer_norm,
        )

    def task_size(self) -> TaskSize:
        """Count weights, of the tasks' encodings one task's own, and biases."""
        weights, biases = task_size(shape for part in self._shapes for shape in part)
        return TaskSize(weights + self._tasks_shape[1], biases)


@dataclass(frozen=True)
class RoutedFunction(MemberFunctions[_Member]):
    """A modular network as the tasks use it in a gradient step."""

    def evaluate(self, member: _Member, inputs: Tensor) -> Tensor:
        """Evaluate one member; see `MemberFunctions`."""
        parts, rows = member.parts, Rows(*inputs.shape[:3])
        norm = self.layer_norm
        features = chain(inputs.reshape(1, -1, inputs.shape[3]), parts.encoder, rows, norm, last="normalised")
        probabilities = route(member, features, rows, norm)
        hidden = features.relu().expand(len(parts.modules[0].weight), -1, -1)
        for shares, modules in zip(probabilities, parts.modules, strict=True):
            mixed = _Mixed.apply(shares, layer(hidden, modules, rows), not norm)
            hidden = layer_norm(mixed).relu() if norm else mixed
        return layer(hidden, parts.output[0], rows).view(*inputs.shape[:3], -1)

    def to_numpy(self, version: int) -> RoutedPolicy:
        """Return the first member in numpy; see `TaskFunction`."""
        parts, tasks = self.members[0]
        policy = (numpy_layers(part) for part in parts)
        return RoutedPolicy(version, tasks.cpu().numpy().copy(), *policy, layer_norm=self.layer_norm)


def route(member: _Member, features: Tensor, rows: Rows, norm: bool) -> list[Tensor]:
    """Return what each layer's outputs count for the modules after it.

    Args:
        member: Parameters.
        features: (1, R, F), the encoded inputs f.
        rows: How the batches lie in the R rows.
        norm: Whether g and the routing network's hidden layers are normalised.

    Returns:
        For each layer of modules (R, n, n), or (R, 1, n) after the last one: probabilities over the last axis.
    """
    parts, n_modules = member.parts, len(member.parts.modules[0].weight)
    of_tasks = member.tasks[:, None, None]
    if rows.n_batches == 2:
        of_tasks = torch.stack((of_tasks, of_tasks.detach()), dim=1).flatten(1, 2)
    both = (features.view(*rows, -1) * of_tasks).relu().view_as(features)
    routing = chain(both, parts.routing, rows, norm, last="normalised")
    hidden, found = routing, list[Tensor]()
    for number, to_logits in enumerate(parts.probabilities):
        if number > 0:
            past = torch.cat([shares.flatten(1) for shares in found], dim=1)
            hidden = routing * layer(past.unsqueeze(0), parts.past[number - 1], rows)
        logits = layer(hidden.relu(), to_logits, rows)
        found.append(logits.view(features.shape[1], -1, n_modules).softmax(2))
    return found


class _Mixed(torch.autograd.Function):
    """Sums of modules' outputs, with ReLU or not: shares (R, n_out, n_in), outputs (n_in, R, H) -> (n_out, R, H)."""

    @staticmethod
    def forward(ctx: Any, shares: Tensor, outputs: Tensor, relu: bool) -> Tensor:
        mixed = _weighted_sums(shares.permute(1, 2, 0), outputs)
        if relu:
            mixed.relu_()
        ctx.save_for_backward(shares, outputs, mixed if relu else None)
        return mixed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        shares, outputs, mixed = ctx.saved_tensors
        if mixed is not None:
            grad_output = torch.ops.aten.threshold_backward(grad_output, mixed, 0)
        grad_shares = torch.bmm(grad_output.transpose(0, 1), outputs.permute(1, 2, 0))
        return grad_shares, _weighted_sums(shares.permute(2, 1, 0), grad_output), None


def _weighted_sums(shares: Tensor, values: Tensor) -> Tensor:
    """Return sum_j shares[i, j] values[j] of (I, J, R) and (J, R, H): (I, R, H)."""
    first, *others = shares.unsqueeze(3).unbind(1)
    sums = first * values[0]
    for share, value in zip(others, values[1:], strict=True):
        sums.addcmul_(share, value)
    return sums
