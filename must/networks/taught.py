"""Layers of networks that are no plain perceptron, and the batches that go through them.

Two batches go through a network together, of which only the first one teaches the parameters. So each layer's gradient
is written out here: that of its parameters comes from the first batch's rows alone, that of its inputs from all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from must.acting import Layers
from must.networks.base import TaskSize
from must.networks.initial import LayerShape
from must.networks.norm import layer_norm
from must.networks.products import affine, back_to_inputs, back_to_weights

_M = TypeVar("_M")


def task_size(shapes: Iterable[LayerShape]) -> TaskSize:
    """Count the parameters of layers."""
    weights, biases = zip(*(shape.sizes for shape in shapes), strict=True)
    return TaskSize(sum(weights), sum(biases))


class Layer(NamedTuple):
    """N linear layers as a gradient step uses them."""

    weight: Tensor
    """(N, D_in, D_out)"""
    bias: Tensor
    """(N, 1, D_out)"""


def take_layers(pieces: Iterator[Tensor], shapes: Sequence[LayerShape]) -> tuple[Layer, ...]:
    """Take the parameters of layers, weights before biases, from pieces of a network's parameters.

    Args:
        pieces: One-dimensional, or (N, n / N) where the layers' N sets are apart from each other.
        shapes: Of the layers.
    """
    return tuple(
        Layer(next(pieces).view(-1, shape.fan_in, shape.fan_out), next(pieces).view(-1, 1, shape.fan_out))
        for shape in shapes
    )


def acting_layers(layers: Sequence[Layer]) -> Layers:
    """Give layers in numpy."""
    return Layers(
        tuple(layer.weight.cpu().numpy().copy() for layer in layers),
        tuple(layer.bias[:, 0].cpu().numpy().copy() for layer in layers),
    )


class Rows(NamedTuple):
    """How inputs lie in the rows of a product: those of (task, batch, row), or those of (batch, row) of each task."""

    n_tasks: int
    n_batches: int
    n_rows: int

    def teaching(self, values: Tensor) -> Tensor:
        """Give the first batch's rows of (N, rows, features)."""
        if self.n_batches == 1:
            return values
        by_batch: Tensor = values.unflatten(1, (-1, self.n_batches, self.n_rows))
        return by_batch[:, :, 0].flatten(1, 2)


def layer(inputs: Tensor, parameters: Layer, rows: Rows, relu: bool = False, norm: bool = False) -> Tensor:
    """Apply linear layers, of which the first batch teaches the parameters: (N, R, D_in) -> (N, R, D_out).

    Args:
        inputs: (N, R, D_in)
        parameters: Of N layers.
        rows: How the batches lie in the R rows.
        relu: Whether to set negative elements to 0.
        norm: Whether to normalise the outputs over the last axis before that.
    """
    outputs: Tensor = _Layer.apply(inputs, *parameters, rows, relu and not norm)
    if norm:
        outputs = layer_norm(outputs)
        return outputs.relu() if relu else outputs
    return outputs


def chain(
    inputs: Tensor,
    layers: Sequence[Layer],
    rows: Rows,
    norm: bool,
    last: Literal["output", "normalised", "hidden"] = "output",
) -> Tensor:
    """Apply layers with ReLU between them; see `layer`.

    Args:
        inputs: (N, R, D_in)
        layers: One after the other.
        rows: How the batches lie in the R rows.
        norm: Whether to normalise what goes into the ReLUs.
        last: What the last layer is: an output; a hidden layer, with ReLU; or a hidden layer whose ReLU comes later,
            so that it is normalised if hidden layers are.
    """
    for number, parameters in enumerate(layers):
        inner = number < len(layers) - 1
        inputs = layer(inputs, parameters, rows, inner or last == "hidden", norm and (inner or last != "output"))
    return inputs


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, rows: Rows, relu: bool) -> Tensor:
        outputs = affine(inputs, weight, bias, relu)
        ctx.save_for_backward(inputs, weight, outputs if relu else None)
        ctx.rows = rows
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, flow: Tensor) -> Any:
        inputs, weight, outputs = ctx.saved_tensors
        if outputs is not None:
            flow = torch.ops.aten.threshold_backward(flow, outputs, 0)
        of_inputs = back_to_inputs(flow, weight) if ctx.needs_input_grad[0] else None
        of_weight = of_bias = None
        if ctx.needs_input_grad[1]:
            taught_flow = ctx.rows.teaching(flow)
            of_weight = torch.empty(weight.shape, dtype=weight.dtype, device=weight.device)
            back_to_weights(ctx.rows.teaching(inputs), taught_flow, of_weight)
            of_bias = taught_flow.sum(1, keepdim=True)
        return of_inputs, of_weight, of_bias, None, None


@dataclass(frozen=True)
class MemberFunctions(ABC, Generic[_M]):
    """Networks as the tasks use them in a gradient step, evaluated one member after the other; see `TaskFunction`.

    Weights that tasks share make large products; there is a faster kernel for one of those than for several.
    """

    members: tuple[_M, ...]
    """Parameters of each of the E members."""
    layer_norm: bool
    """Whether what goes into the ReLUs is normalised."""

    @abstractmethod
    def evaluate(self, member: _M, inputs: Tensor) -> Tensor:
        """Evaluate one member at one batch or two, of which the first one teaches the parameters.

        Args:
            member: Its parameters.
            inputs: (K, 1 or 2, B, D_in)

        Returns:
            (K, 1 or 2, B, D_out)
        """

    def at(self, inputs: Tensor) -> Tensor:
        """Evaluate all members; see `TaskFunction`."""
        return self._evaluate(inputs[:, None])[:, :, 0]

    def at_two(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate all members at two batches; see `TaskFunction`."""
        first = first.detach()
        if second.requires_grad:
            outputs, others = self._evaluate(torch.stack((first, second), dim=1)).unbind(2)
            return outputs, others
        with torch.no_grad():  # nothing asks for its gradient
            others = self.at(second)
        return self.at(first), others

    def _evaluate(self, inputs: Tensor) -> Tensor:
        return torch.stack([self.evaluate(member, inputs) for member in self.members])
