"""The base networks: small MLPs of which every task uses a part of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from must.masks import Masks, SubNetworks, UnitMasks, WeightMasks
from must.networks.base import BaseNetwork, TaskFunction, TaskSize
from must.networks.fused_mlp import TaskParameters
from must.networks.initial import DEFAULT, HiddenLayers, LayerShape, task_inputs


class MaskedMLP(BaseNetwork):
    """E independent ReLU networks of the same shape, for K tasks whose one-hot is part of the input.

    The one-hot is never multiplied out: all it does is to pick a row of the first layer for each task, which is added
    to the bias. Evaluate it in two steps, `task_parameters` and `apply_task_parameters`, because what the first gives
    is used several times in a gradient step.
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
        """Draw the initial parameters from torch's global generator.

        Args:
            n_members: E.
            in_dim: Features of the input, without the one-hot.
            n_tasks: K, or 0 for networks without the one-hot.
            hidden_sizes: Units of each hidden layer.
            out_dim: Features of the output.
            hidden: How the hidden layers are initialised and evaluated.
        """
        super().__init__()
        self.in_dim, self.out_dim, self.n_tasks, self.hidden_sizes = in_dim, out_dim, n_tasks, tuple(hidden_sizes)
        self._layer_norm = hidden.layer_norm
        *shapes, last = self.weight_shapes
        inputs = hidden.task_inputs or task_inputs(hidden_sizes, in_dim, n_tasks)
        layers = [LayerShape(1, *shape, task_inputs=n) for shape, n in zip(shapes, inputs, strict=True)]
        drawn = [layer.draw(n_members, hidden.init) for layer in (*layers, LayerShape(1, *last, final=True))]
        weights, biases = zip(*drawn, strict=True)
        self.flat = nn.Parameter(torch.cat(weights + biases, dim=1))
        """(E, P): every layer's weights, then every layer's biases. One tensor, so that whatever concerns all
        parameters alike (cutting out, clipping, optimizer, targets) is one operation."""

    @property
    def weight_shapes(self) -> tuple[tuple[int, int], ...]:
        """(D_in, D_out) of each layer, D_in with the one-hot."""
        return tuple(pairwise((self.in_dim + self.n_tasks, *self.hidden_sizes, self.out_dim)))

    @property
    def task_out_dim(self) -> int:
        """Features of a task's own output."""
        return self.out_dim

    @property
    def task_weight_shapes(self) -> tuple[tuple[int, int], ...]:
        """(D_in, D_out) of each layer as one task has it."""
        return tuple(pairwise((self.in_dim + self.n_tasks, *self.hidden_sizes, self.task_out_dim)))

    @property
    def weights(self) -> list[Tensor]:
        """For each layer (E, D_in, D_out), D_in with the one-hot's rows last: views of `flat`."""
        parts = self.flat.split(self._sizes, dim=1)
        return [part.view(-1, *shape) for part, shape in zip(parts, self.weight_shapes, strict=False)]

    @property
    def biases(self) -> list[Tensor]:
        """For each layer (E, D_out): views of `flat`."""
        return list(self.flat.split(self._sizes, dim=1)[len(self.weight_shapes) :])

    @property
    def _sizes(self) -> list[int]:
        return [math.prod(shape) for shape in self.weight_shapes] + [width for _, width in self.weight_shapes]

    def task_size(self) -> TaskSize:
        """Count weights, the one-hot's rows of all tasks included, and biases."""
        shapes = self.weight_shapes
        return TaskSize(sum(math.prod(shape) for shape in shapes), sum(width for _, width in shapes))

    def task_parameters(self, masks: Masks) -> TaskParameters:
        """Cut out what each task uses.

        Args:
            masks: Masks of this network, or None for the dense network.
        """
        if isinstance(masks, SubNetworks):
            flat = cut_out(self.flat, masks)
            widths = self.in_dim, *masks.widths, self.task_out_dim
            return TaskParameters(flat, widths, 1, layer_norm=self._layer_norm)
        flat = self.flat.unsqueeze(1)
        if isinstance(masks, WeightMasks):
            flat = _Masked.apply(self.flat, masks.elements)
        gates = masks.units if isinstance(masks, UnitMasks) else ()
        widths = self.in_dim, *self.hidden_sizes, self.out_dim
        return TaskParameters(flat, widths, self.n_tasks, gates, self._layer_norm)

    def task_copies(self) -> tuple[TaskFunction, Tensor]:
        """Return what each task uses of a copy of its own, and the copies; see `BaseNetwork`."""
        copies = self.flat.detach().unsqueeze(1).repeat(1, self.n_tasks, 1).requires_grad_()
        return self.task_parameters(None)._replace(flat=copies), copies


def cut_out(flat: Tensor, masks: SubNetworks) -> Tensor:
    """Cut out what each task uses of parameters (E, P), differentiably: (E, K, p).

    The gradient is a sum over the tasks, and the result depends on its order: the CPU adds one after the other.
    """
    if masks.own_places is not None:
        return cut_places(flat, masks.own_places)
    cut: Tensor = _CutInOrder.apply(flat, masks.positions)
    return cut


def cut_places(flat: Tensor, places: Tensor) -> Tensor:
    """Cut out parameters (E, P) by their places (E, K, p), differentiably and in order on a GPU as well: (E, K, p).

    It would add gradients in whatever order its threads come, so each task's are written to a place of their own first.
    """
    cut: Tensor = _CutOut.apply(flat, places)
    return cut


class _CutInOrder(torch.autograd.Function):
    """Elements of (E, P) at positions (E, K, p) of all of it; autograd's own gradient of this takes twice as long."""

    @staticmethod
    def forward(ctx: Any, flat: Tensor, positions: Tensor) -> Tensor:
        ctx.save_for_backward(positions)
        ctx.shape = flat.shape
        return flat.view(-1).index_select(0, positions.view(-1)).view(positions.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        (positions,) = ctx.saved_tensors
        grad_flat = grad_output.new_zeros(ctx.shape)
        grad_flat.view(-1).scatter_add_(0, positions.view(-1), grad_output.reshape(-1))
        return grad_flat, None


class _CutOut(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, flat: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(places)
        ctx.size = flat.shape[1]
        return flat.unsqueeze(1).expand(-1, places.shape[1], -1).gather(2, places)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        (places,) = ctx.saved_tensors
        of_tasks = grad_output.new_zeros(*grad_output.shape[:2], ctx.size)
        return of_tasks.scatter_(2, places, grad_output).sum(1), None


class _Masked(torch.autograd.Function):
    """Parameters (E, P) times the masks (E, K, n) of the first n of them: (E, K, P)."""

    @staticmethod
    def forward(ctx: Any, flat: Tensor, elements: Tensor) -> Tensor:
        ctx.save_for_backward(flat, elements)
        n_members, n_tasks, n_masked = elements.shape
        masked = flat.new_empty(n_members, n_tasks, flat.shape[1])
        torch.mul(flat[:, None, :n_masked], elements, out=masked[..., :n_masked])
        masked[..., n_masked:] = flat[:, None, n_masked:]
        return masked

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        flat, elements = ctx.saved_tensors
        n_masked = elements.shape[2]
        grad_flat = grad_elements = None
        if ctx.needs_input_grad[0]:  # task after task, since all tasks' products at once would go through memory again
            grad_flat = torch.empty_like(flat)
            torch.sum(grad_output[..., n_masked:], 1, out=grad_flat[:, n_masked:])
            grad_masked = torch.mul(grad_output[:, 0, :n_masked], elements[:, 0], out=grad_flat[:, :n_masked])
            for task in range(1, elements.shape[1]):
                grad_masked.addcmul_(grad_output[:, task, :n_masked], elements[:, task])
        if ctx.needs_input_grad[1]:
            grad_elements = grad_output[..., :n_masked] * flat[:, None, :n_masked]
        return grad_flat, grad_elements
