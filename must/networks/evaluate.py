"""Evaluation of base networks: a whole network is one node of the gradient's graph.

A gradient step on networks of this size is made of very many small operations, and recording each of them takes longer
than doing it. So the gradient of a network is written out here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class TaskParameters(NamedTuple):
    """The parameters that each task uses, cut out of a `MaskedMLP` with its masks."""

    weights: tuple[Tensor, ...]
    """For each layer (E, K, D_in, D_out), or (E, 1, D_in, D_out) where all tasks share it."""
    biases: tuple[Tensor, ...]
    """For each layer (E, K, D_out), or (E, 1, D_out) where all tasks share it; the first one always (E, K, D_out)."""
    gates: tuple[Tensor, ...] = ()
    """For each hidden layer (E, K, H), or none: factors on its activations, while masks of units are learned."""


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


def apply_to_two_batches(parameters: TaskParameters, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Evaluate the networks at two batches in one pass, of which only the first one teaches the parameters.

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
    weights, biases, gates = parameters
    return _Evaluation.apply(first, second, len(weights), *weights, *biases, *gates)


class _Evaluation(torch.autograd.Function):
    """Every layer is one product for all that goes through it: (N, rows, D_in) x (N, D_in, D_out).

    Where tasks share the weights N = E, and the rows are those of (batch, task, row); otherwise N = E K, and the rows
    are those of (batch, row). In both cases the first batch's rows come first.
    """

    @staticmethod
    def forward(
        ctx: Any, first: Tensor, second: Tensor | None, n_layers: int, *tensors: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        ctx.set_materialize_grads(False)
        batches = (first,) if second is None else (first, second)
        n_members, n_sets = tensors[0].shape[:2]
        form = ctx.form = _Form(n_members, len(batches), first.shape[0], first.shape[1], shared=n_sets == 1)
        weights = [weight.reshape(-1, *weight.shape[2:]) for weight in tensors[:n_layers]]
        biases, gates = tensors[n_layers : 2 * n_layers], tensors[2 * n_layers :]
        hidden = form.pack([batch.expand(n_members, -1, -1, -1) for batch in batches])
        inputs, ungated = [hidden], []
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            if layer == 0 and form.shared:
                hidden = torch.bmm(hidden, weight)
                form.by_task(hidden).add_(bias[:, None, :, None])
            else:
                hidden = torch.baddbmm(bias.reshape(-1, 1, bias.shape[2]), hidden, weight)
            if layer < n_layers - 1:
                hidden = hidden.relu_()
                if gates:
                    ungated.append(hidden)
                    hidden = (form.by_task(hidden) * gates[layer][:, None, :, None]).view_as(hidden)
                inputs.append(hidden)
        ctx.save_for_backward(*weights, *inputs, *gates, *ungated)
        ctx.n_layers = n_layers
        outputs = form.unpack(hidden)
        return outputs[0], (None if second is None else outputs[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, first: Tensor | None, second: Tensor | None) -> Any:
        form, n_layers = ctx.form, ctx.n_layers
        weights, inputs = ctx.saved_tensors[:n_layers], ctx.saved_tensors[n_layers : 2 * n_layers]
        gates, ungated = _halves(ctx.saved_tensors[2 * n_layers :])
        wanted = ctx.needs_input_grad[3:]
        to_inputs = ctx.needs_input_grad[form.n_batches - 1]
        if not ctx.needs_input_grad[1]:
            second = None
        gradients: list[Tensor | None] = [None] * len(wanted)
        of_inputs: list[Tensor | None] = [None, None]
        taught = slice(0, form.rows_of_a_batch)
        if second is None:
            flow = None if first is None else form.pack([first])
        else:
            flow = form.pack([torch.zeros_like(second) if first is None else first, second])
        for layer in reversed(range(n_layers if flow is not None else 0)):
            assert flow is not None
            rows = flow.shape[1]
            if wanted[layer]:
                gradient = torch.bmm(inputs[layer][:, taught].mT, flow[:, taught])
                gradients[layer] = gradient.view(form.n_members, -1, *gradient.shape[1:])
            if wanted[n_layers + layer]:
                if layer == 0 and form.shared:
                    gradients[n_layers] = form.by_task(flow[:, taught]).sum((1, 3))
                else:
                    gradients[n_layers + layer] = flow[:, taught].sum(1).view(form.n_members, -1, flow.shape[2])
            if layer > 0:
                flow = torch.bmm(flow, weights[layer].mT)
                active = inputs[layer]
                if gates:
                    active = ungated[layer - 1]
                    if wanted[2 * n_layers + layer - 1]:
                        change = flow[:, taught] * active[:, taught]
                        gradients[2 * n_layers + layer - 1] = form.by_task(change).sum((1, 3))
                    form.by_task(flow).mul_(gates[layer - 1][:, None, :, None])
                flow = torch.ops.aten.threshold_backward(flow, active[:, :rows], 0)
            elif to_inputs:
                seen = torch.bmm(flow[:, -form.rows_of_a_batch :], weights[0].mT)
                of_inputs[form.n_batches - 1] = form.one_batch(seen).sum(0)
        return *of_inputs, None, *gradients


class _Form(NamedTuple):
    """How batches (E, K, B, features) lie in the rows of the products."""

    n_members: int
    n_batches: int
    n_tasks: int
    n_rows: int
    shared: bool
    """Whether all tasks share the weights."""

    @property
    def rows_of_a_batch(self) -> int:
        """Rows that one batch has in each product."""
        return self.n_tasks * self.n_rows if self.shared else self.n_rows

    def pack(self, batches: list[Tensor]) -> Tensor:
        """Put batches (E, K, B, F) together: (N, rows, F)."""
        packed = batches[0] if len(batches) == 1 else torch.stack(batches, dim=1 if self.shared else 2)
        return packed.reshape(self.n_members * (1 if self.shared else self.n_tasks), -1, packed.shape[-1])

    def unpack(self, packed: Tensor) -> tuple[Tensor, ...]:
        """Undo `pack`."""
        if self.shared:
            return self.by_task(packed).unbind(1)
        return packed.view(self.n_members, self.n_tasks, -1, self.n_rows, packed.shape[2]).unbind(2)

    def one_batch(self, packed: Tensor) -> Tensor:
        """Undo `pack` of one batch."""
        return packed.view(self.n_members, self.n_tasks, self.n_rows, packed.shape[2])

    def by_task(self, packed: Tensor) -> Tensor:
        """View the rows of shared weights as (E, batches, K, B, F)."""
        return packed.view(len(packed), -1, self.n_tasks, self.n_rows, packed.shape[2])


def _halves(tensors: tuple[Tensor, ...]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    middle = len(tensors) // 2
    return tensors[:middle], tensors[middle:]
