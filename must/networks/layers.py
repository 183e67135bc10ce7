"""Layers of networks that are not plain perceptrons.

A network is evaluated at two batches at once, and only the first has a gradient with respect to the parameters. So each
layer's gradient is written out here: its parameters' from the rows of the first batch alone, its inputs' from all rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from must.networks.base import TaskSize
from must.networks.initial import LayerShape
from must.networks.matmul import affine, input_gradient, weight_gradient
from must.networks.norm import layer_norm
from must.numpy_policy import Layers

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


def numpy_layers(layers: Sequence[Layer]) -> Layers:
    """Return layers in numpy."""
    return Layers(
        tuple(layer.weight.cpu().numpy().copy() for layer in layers),
        tuple(layer.bias[:, 0].cpu().numpy().copy() for layer in layers),
    )


class Rows(NamedTuple):
    """How inputs lie in the rows of a product: those of (task, batch, row), or those of (batch, row) of each task."""

    n_tasks: int
    n_batches: int
    n_rows: int

    def first_batch(self, values: Tensor) -> Tensor:
        """Return the first batch's rows of (N, rows, features)."""
        if self.n_batches == 1:
            return values
        by_batch: Tensor = values.unflatten(1, (-1, self.n_batches, self.n_rows))
        return by_batch[:, :, 0].flatten(1, 2)


def layer(inputs: Tensor, parameters: Layer, rows: Rows, relu: bool = False, norm: bool = False) -> Tensor:
    """Apply linear layers whose parameters have a gradient from the first batch alone: (N, R, D_in) -> (N, R, D_out).

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
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        inputs, weight, outputs = ctx.saved_tensors
        if outputs is not None:
            grad_output = torch.ops.aten.threshold_backward(grad_output, outputs, 0)
        grad_inputs = input_gradient(grad_output, weight) if ctx.needs_input_grad[0] else None
        grad_weight = grad_bias = None
        if ctx.needs_input_grad[1]:
            first_grad = ctx.rows.first_batch(grad_output)
            grad_weight = torch.empty(weight.shape, dtype=weight.dtype, device=weight.device)
            weight_gradient(ctx.rows.first_batch(inputs), first_grad, grad_weight)
            grad_bias = first_grad.sum(1, keepdim=True)
        return grad_inputs, grad_weight, grad_bias, None, None


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
        """Evaluate one member at one batch or two, of which the first has a gradient with respect to the parameters.

        Args:
            member: Its parameters.
            inputs: (K, 1 or 2, B, D_in)

        Returns:
            (K, 1 or 2, B, D_out)
        """

    def forward(self, inputs: Tensor) -> Tensor:
        """Evaluate all members; see `TaskFunction`."""
        return self._evaluate(inputs[:, None])[:, :, 0]

    def forward_pair(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate all members at two batches; see `TaskFunction`."""
        first = first.detach()
        if second.requires_grad:
            outputs, others = self._evaluate(torch.stack((first, second), dim=1)).unbind(2)
            return outputs, others
        with torch.no_grad():  # no gradient is needed with respect to it
            others = self.forward(second)
        return self.forward(first), others

    def _evaluate(self, inputs: Tensor) -> Tensor:
        return torch.stack([self.evaluate(member, inputs) for member in self.members])
