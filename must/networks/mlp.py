"""The base networks: small MLPs of which every task uses a part of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from must.masks import Masks, SubNetworks, UnitMasks, WeightMasks


class TaskParameters(NamedTuple):
    """The parameters that each task uses, cut out of a `MaskedMLP` with its masks."""

    weights: list[Tensor]
    """For each layer (E, K, D_in, D_out), or (E, 1, D_in, D_out) where all tasks share it."""
    biases: list[Tensor]
    """For each layer (E, K, D_out), or (E, 1, D_out)."""
    gates: list[Tensor] | None = None
    """For each hidden layer (E, K, H): factors on its activations, while masks of units are learned."""

    def detach(self) -> TaskParameters:
        """Give the same values without gradient."""
        gates = None if self.gates is None else [gate.detach() for gate in self.gates]
        return TaskParameters([w.detach() for w in self.weights], [b.detach() for b in self.biases], gates)


class MaskedMLP(nn.Module):
    """E independent ReLU networks of the same shape, for K tasks whose one-hot is part of the input.

    The one-hot is never multiplied out: all it does is to pick a row of the first layer for each task, which is added
    to the bias. Evaluate it in two steps, `task_parameters` and `apply_task_parameters`, because the first is needed
    once per gradient step and the second several times.
    """

    def __init__(
        self,
        n_members: int,
        in_dim: int,
        n_tasks: int,
        hidden_sizes: Sequence[int],
        out_dim: int,
        init: Literal["fan_in", "original"] = "fan_in",
    ) -> None:
        """Draw the initial parameters from torch's global generator.

        Args:
            n_members: E.
            in_dim: Features of the input, without the one-hot.
            n_tasks: K.
            hidden_sizes: Units of each hidden layer.
            out_dim: Features of the output.
            init: Bound of the uniform hidden weights is 1/sqrt(n), n the fan-in (or, ``original``, the fan-out).
        """
        super().__init__()
        self.in_dim, self.n_tasks, self.hidden_sizes = in_dim, n_tasks, tuple(hidden_sizes)
        widths = [in_dim + n_tasks, *hidden_sizes, out_dim]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for layer, (fan_in, fan_out) in enumerate(pairwise(widths)):
            weight, bias = torch.empty(n_members, fan_in, fan_out), torch.empty(n_members, fan_out)
            if layer == len(hidden_sizes):
                nn.init.uniform_(weight, -3e-3, 3e-3)
                nn.init.uniform_(bias, -3e-3, 3e-3)
            else:
                bound = 1 / math.sqrt(fan_in if init == "fan_in" else fan_out)
                nn.init.uniform_(weight, -bound, bound)
                nn.init.constant_(bias, 0.1)
            self.weights.append(nn.Parameter(weight))
            self.biases.append(nn.Parameter(bias))

    @property
    def weight_shapes(self) -> tuple[tuple[int, int], ...]:
        """(D_in, D_out) of each layer, D_in with the one-hot."""
        return tuple((weight.shape[1], weight.shape[2]) for weight in self.weights)

    def task_parameters(self, masks: Masks) -> TaskParameters:
        """Cut out what each task uses.

        Args:
            masks: Masks of this network, or None for the dense network.
        """
        first, one_hot = self.weights[0].split((self.in_dim, self.n_tasks), dim=1)
        rest = list(self.weights[1:])
        if isinstance(masks, WeightMasks):
            first_mask, one_hot_mask = masks.weights[0].split((self.in_dim, self.n_tasks), dim=2)
            one_hot = one_hot * one_hot_mask.diagonal(dim1=1, dim2=2).mT
            weights = [first.unsqueeze(1) * first_mask]
            weights += [weight.unsqueeze(1) * mask for weight, mask in zip(rest, masks.weights[1:], strict=True)]
            biases = [bias.unsqueeze(1) for bias in self.biases]
            if masks.biases is not None:
                biases = [bias * mask for bias, mask in zip(biases, masks.biases, strict=True)]
            biases[0] = biases[0] + one_hot
            return TaskParameters(weights, biases)
        if isinstance(masks, SubNetworks):
            weights = [_pick(weight, where) for weight, where in zip(self.weights, masks.weight_positions, strict=True)]
            biases = [_pick(bias, where) for bias, where in zip(self.biases, masks.bias_positions, strict=False)]
            biases[0] = biases[0] + _pick(self.weights[0], masks.one_hot_positions)
            return TaskParameters(weights, [*biases, self.biases[-1].unsqueeze(1)])
        weights = [first.unsqueeze(1), *(weight.unsqueeze(1) for weight in rest)]
        biases = [bias.unsqueeze(1) for bias in self.biases]
        biases[0] = biases[0] + one_hot
        return TaskParameters(weights, biases, list(masks.units) if isinstance(masks, UnitMasks) else None)


def apply_task_parameters(parameters: TaskParameters, inputs: Tensor) -> Tensor:
    """Evaluate the networks.

    Args:
        parameters: What each task uses.
        inputs: (K, B, D_in), given to all members.

    Returns:
        (E, K, B, D_out)
    """
    weights, biases, gates = parameters
    n_members = weights[0].shape[0]
    n_tasks, n_rows, _ = inputs.shape
    hidden = inputs.expand(n_members, *inputs.shape)
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        fan_in, fan_out = weight.shape[-2:]
        if weight.shape[1] == n_tasks:
            hidden = torch.baddbmm(
                bias.expand(n_members, n_tasks, fan_out).reshape(-1, 1, fan_out),
                hidden.reshape(-1, n_rows, fan_in),
                weight.reshape(-1, fan_in, fan_out),
            )
            hidden = hidden.view(n_members, n_tasks, n_rows, fan_out)
        else:
            hidden = torch.bmm(hidden.reshape(n_members, -1, fan_in), weight.squeeze(1))
            hidden = hidden.view(n_members, n_tasks, n_rows, fan_out) + bias.unsqueeze(2)
        if layer < len(weights) - 1:
            hidden = torch.relu(hidden)
            if gates is not None:
                hidden = hidden * gates[layer].unsqueeze(2)
    return hidden


def _pick(tensor: Tensor, positions: Tensor) -> Tensor:
    """Gather elements of the flattened tensor; the gradient is scattered back to where they came from."""
    return tensor.view(-1).index_select(0, positions.view(-1)).view(positions.shape)
