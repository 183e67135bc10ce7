"""Evaluation of base networks: a whole network is one node of the gradient's graph.

A gradient step on networks of this size is made of very many small operations, and recording each of them takes longer
than doing it. So the gradient of a network is written out here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from must.networks.form import Form
from must.networks.matmul import affine, input_gradient, weight_gradient
from must.networks.norm import normalise, normalise_backward, normalise_kept, normalise_kept_backward
from must.numpy_policy import MlpPolicy


class TaskParameters(NamedTuple):
    """The parameters that each task uses, cut out of a `MaskedMLP` with its masks."""

    flat: Tensor
    """(E, K, p), or (E, 1, p) where all tasks share them: the weights of each layer, the first one's with its rows for
    the one-hot last; then the biases of each layer."""
    widths: tuple[int, ...]
    """Features of the input (without the one-hot), of each hidden layer, and of the output."""
    one_hot_rows: int
    """Rows for the one-hot: K, 1 if there is the task's own alone, or 0 if it is no input."""
    gates: tuple[Tensor, ...] = ()
    """For each hidden layer (E, K, H), or none: factors on its activations, while masks of units are learned."""
    layer_norm: bool = False
    """Whether each hidden layer's values are normalised before the ReLU, over the units that a task uses."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Evaluate all members; see `TaskFunction`."""
        return apply_task_parameters(self, inputs)

    def forward_pair(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate all members at two batches; see `TaskFunction`."""
        return apply_to_pair(self, first, second)

    def to_numpy(self, version: int) -> MlpPolicy:
        """Return the first member in numpy; see `TaskFunction`."""
        return MlpPolicy(
            version,
            tuple(weight[0].cpu().numpy().copy() for weight in self.weights),
            tuple(bias[0].cpu().numpy().copy() for bias in self.biases),
            self.layer_norm,
        )

    @property
    def weights(self) -> list[Tensor]:
        """For each layer (E, K or 1, D_in, D_out), without the one-hot's rows."""
        return self._parts()[0]

    @property
    def biases(self) -> list[Tensor]:
        """For each layer (E, K or 1, D_out); in the first one the task's row of the one-hot is added to it."""
        _, one_hot, biases = self._parts()
        return [biases[0] + _own_row(one_hot), *biases[1:]]

    def _parts(self) -> tuple[list[Tensor], Tensor, list[Tensor]]:
        return _parts(self.flat, self.widths, self.one_hot_rows)


def apply_task_parameters(parameters: TaskParameters, inputs: Tensor) -> Tensor:
    """Evaluate the networks.

    Args:
        parameters: What each task uses.
        inputs: (K, B, D_in), given to all members.

    Returns:
        (E, K, B, D_out)
    """
    outputs: Tensor = _evaluate(parameters, inputs, None)[0]
    return outputs


def apply_to_pair(parameters: TaskParameters, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Evaluate the networks at two batches in one pass, each with a gradient of its own kind.

    Args:
        parameters: What each task uses.
        first: (K, B, D_in); the gradient of its outputs goes to the parameters and not to the inputs.
        second: (K, B, D_in); the gradient of its outputs goes to the inputs and not to the parameters.

    Returns:
        The outputs at each, (E, K, B, D_out).
    """
    outputs: tuple[Tensor, Tensor] = _evaluate(parameters, first, second)
    return outputs


def _evaluate(parameters: TaskParameters, first: Tensor, second: Tensor | None) -> Any:
    flat, widths, one_hot_rows, gates, layer_norm = parameters
    if flat.shape[1] > 1 or len(flat) == 1:
        return _Evaluation.apply(first, second, widths, one_hot_rows, layer_norm, flat, *gates)
    # Weights that tasks share make large products; there is a faster kernel for one of those than for several.
    members = zip(flat.split(1), *(gate.split(1) for gate in gates), strict=True)
    outputs = [_Evaluation.apply(first, second, widths, one_hot_rows, layer_norm, *member) for member in members]
    return tuple(None if same[0] is None else torch.cat(same) for same in zip(*outputs, strict=True))


class _Evaluation(torch.autograd.Function):
    """Every layer is one product of all rows: (N, rows, D_in) x (N, D_in, D_out).

    Where tasks share the weights N = E, and the rows are those of (batch, task, row); otherwise N = E K, and the rows
    are those of (batch, row). In both cases the first batch's rows come first.

    The gradient of a gate is that of a factor on an activation. Which units the statistics of layer normalisation are
    over has none: the masks of this step decide it.
    """

    @staticmethod
    def forward(
        ctx: Any,
        first: Tensor,
        second: Tensor | None,
        widths: tuple[int, ...],
        one_hot_rows: int,
        layer_norm: bool,
        flat: Tensor,
        *gates: Tensor,
    ) -> tuple[Tensor, Tensor | None]:
        ctx.set_materialize_grads(False)
        batches = (first,) if second is None else (first, second)
        n_members, n_sets = flat.shape[:2]
        form = Form(n_members, len(batches), first.shape[0], first.shape[1], shared=n_sets == 1)
        weights, one_hot, biases = _parts(flat, widths, one_hot_rows)
        first_bias = biases[0] + _own_row(one_hot)
        hidden = form.pack([batch.expand(n_members, -1, -1, -1) for batch in batches])
        inputs, ungated = [hidden], list[Tensor]()
        statistics = list[Tensor]()  # of each hidden layer: values, means and scales, or with gates the scales alone
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            is_hidden = layer < len(weights) - 1
            relu = is_hidden and not layer_norm
            if layer == 0 and form.shared:
                hidden = affine(hidden, weight.flatten(0, 1), None)
                biased = form.by_task(hidden).add_(first_bias[:, None, :, None])
                if relu:
                    biased.relu_()
            else:
                bias = first_bias if layer == 0 else bias
                hidden = affine(hidden, weight.flatten(0, 1), bias.reshape(-1, 1, bias.shape[2]), relu)
            if is_hidden:
                if layer_norm and gates:
                    normalised, scale = normalise_kept(form.by_task(hidden), _shares(gates[layer]))
                    hidden = normalised.view_as(hidden)
                    statistics.append(scale)
                elif layer_norm:
                    statistics.append(hidden)
                    hidden, *spread = normalise(hidden)
                    statistics += spread
                if gates:
                    ungated.append(hidden)
                    hidden = (form.by_task(hidden) * gates[layer][:, None, :, None]).view_as(hidden)
                if layer_norm:
                    hidden.relu_()  # the same before as after factors that are not negative
                inputs.append(hidden)
        ctx.save_for_backward(flat, *inputs, *gates, *ungated, *statistics)
        ctx.form, ctx.widths, ctx.one_hot_rows, ctx.n_gates = form, widths, one_hot_rows, len(gates)
        outputs = form.unpack(hidden)
        return outputs[0], (None if second is None else outputs[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, first: Tensor | None, second: Tensor | None) -> Any:
        form, widths, one_hot_rows = ctx.form, ctx.widths, ctx.one_hot_rows
        n_layers = len(widths) - 1
        flat, *saved = ctx.saved_tensors
        inputs, gates, ungated, statistics = _cut(saved, n_layers, ctx.n_gates, ctx.n_gates)
        layer_norm = bool(statistics)
        to_gates = ctx.needs_input_grad[6:]
        if not ctx.needs_input_grad[1]:
            second = None
        to_inputs = ctx.needs_input_grad[0] if form.n_batches == 1 else second is not None
        grad_inputs: list[Tensor | None] = [None, None]
        grad_gates: list[Tensor | None] = [None] * len(gates)
        if first is None and second is None:
            return *grad_inputs, None, None, None, None, *grad_gates
        if second is None:
            grad_output = form.pack([first])
        else:
            grad_output = form.pack([torch.zeros_like(second) if first is None else first, second])
        weights = _parts(flat, widths, one_hot_rows)[0]
        grad_flat = torch.empty_like(flat) if ctx.needs_input_grad[5] else None
        grad_parts = None if grad_flat is None else _parts(grad_flat, widths, one_hot_rows)
        first_rows = slice(0, form.rows_of_a_batch)
        for layer in reversed(range(n_layers)):
            if grad_parts is not None:
                _write_gradients(grad_parts, layer, inputs[layer][:, first_rows], grad_output[:, first_rows], form)
            if layer > 0:
                grad_output = input_gradient(grad_output, weights[layer].flatten(0, 1))
                rows = slice(0, grad_output.shape[1])
                active = ungated[layer - 1] if gates else inputs[layer]
                torch.ops.aten.threshold_backward.grad_input(grad_output, active[:, rows], 0, grad_input=grad_output)
                if gates:
                    if to_gates[layer - 1]:
                        products = grad_output[:, first_rows] * active[:, first_rows]
                        grad_gates[layer - 1] = form.by_task(products).sum((1, 3))
                    form.by_task(grad_output).mul_(gates[layer - 1][:, None, :, None])
                if layer_norm and gates:
                    of_tasks, normalised = form.by_task(grad_output), form.by_task(active[:, rows])
                    scale, shares = statistics[layer - 1][:, : of_tasks.shape[1]], _shares(gates[layer - 1])
                    grad_output = normalise_kept_backward(of_tasks, normalised, scale, shares).view_as(grad_output)
                elif layer_norm:
                    spread = (kept[:, rows] for kept in statistics[3 * layer - 3 : 3 * layer])
                    grad_output = normalise_backward(grad_output, *spread)
            elif to_inputs:
                grad_last = input_gradient(grad_output[:, -form.rows_of_a_batch :], weights[0].flatten(0, 1))
                grad_inputs[form.n_batches - 1] = form.one_batch(grad_last).sum(0)
        return *grad_inputs, None, None, None, grad_flat, *grad_gates


def _write_gradients(
    parts: tuple[list[Tensor], Tensor, list[Tensor]], layer: int, inputs: Tensor, grad_output: Tensor, form: Form
) -> None:
    """Write the gradient of a layer's weights and biases.

    Args:
        parts: Where to: what `_parts` gave of the gradient of `TaskParameters.flat`.
        layer: Number of the layer.
        inputs: (N, rows, D_in)
        grad_output: (N, rows, D_out), the gradient of the layer's outputs.
        form: How the rows lie.
    """
    weights, one_hot, biases = parts
    weight_gradient(inputs, grad_output, weights[layer].flatten(0, 1))
    if layer > 0:
        torch.sum(grad_output, 1, out=biases[layer].flatten(0, 1))
        return
    if form.shared:
        of_tasks = form.by_task(grad_output).sum((1, 3))
    else:
        of_tasks = grad_output.sum(1).view(form.n_members, form.n_tasks, -1)
    biases[0].copy_(of_tasks.sum(1, keepdim=True) if form.shared else of_tasks)
    if one_hot.numel() == 0:
        return
    if _has_all_rows(one_hot):
        one_hot.zero_()
        one_hot.diagonal(dim1=1, dim2=2).copy_(of_tasks.mT)
    else:
        one_hot.copy_(of_tasks.view(one_hot.shape))


def _parts(flat: Tensor, widths: Sequence[int], one_hot_rows: int) -> tuple[list[Tensor], Tensor, list[Tensor]]:
    """View `TaskParameters.flat` as the weights of each layer, the first one's rows for the one-hot, and the biases."""
    shapes = [(widths[0], widths[1]), (one_hot_rows, widths[1]), *pairwise(widths[1:])]
    sizes = [rows * columns for rows, columns in shapes]
    parts = flat.split([*sizes, *widths[1:]], dim=2)
    first, one_hot, *others = (part.unflatten(2, shape) for part, shape in zip(parts, shapes, strict=False))
    return [first, *others], one_hot, list(parts[len(shapes) :])


def _own_row(one_hot: Tensor) -> Tensor:
    """Return the row that each task's one-hot picks of (E, K or 1, rows, D_out): (E, K, D_out); zeros without rows."""
    if one_hot.shape[2] == 0:
        return one_hot.sum(2)
    return one_hot.diagonal(dim1=1, dim2=2).mT if _has_all_rows(one_hot) else one_hot.flatten(1, 2)


def _has_all_rows(one_hot: Tensor) -> bool:
    """Whether every task has rows of its own for all tasks' one-hots, of which it uses one."""
    return one_hot.shape[1] > 1 and one_hot.shape[2] > 1


def _shares(gates: Tensor) -> Tensor:
    """Return what each unit counts in the statistics of its layer: (E, K, H) -> (E, 1, K, 1, H)."""
    return (gates / gates.sum(-1, keepdim=True))[:, None, :, None]


def _cut(tensors: Sequence[Tensor], *counts: int) -> list[Sequence[Tensor]]:
    """Cut a sequence into parts of given lengths, and the rest."""
    ends = [0, *accumulate(counts), len(tensors)]
    return [tensors[start:end] for start, end in pairwise(ends)]
