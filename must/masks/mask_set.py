"""Masks in the forms in which networks use them, and the published set of all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from must.masks import topk
from must.masks.topk import kept


class WeightMasks(NamedTuple):
    """Masks of single weights; while they are learned they carry a gradient."""

    elements: Tensor
    """(E, K, n), or (E, 1, n) where all tasks share them: zeros and ones, in the order in which a base network's
    parameters lie: the weights of each layer (the first one's with the one-hot's K rows last), then, where they are
    masked, the biases."""


class UnitMasks(NamedTuple):
    """Masks of hidden units, as factors on their activations: the form in which they are learned."""

    units: tuple[Tensor, ...]
    """For each hidden layer (E, K, H) of zeros and ones, with gradient."""


class SubNetworks(NamedTuple):
    """Masks of hidden units, as the smaller dense networks that they leave: the form in which they are published.

    Every task keeps the same number of units in a layer, so that all sub-networks are one batch of matrices.
    """

    units: tuple[Tensor, ...]
    """For each hidden layer (E, K, H) of zeros and ones."""
    positions: Tensor
    """(E, K, p): where each parameter of the sub-network lies among the base network's (E, P), flattened. They are in
    the same order, but of the one-hot's rows only the task's own is there."""
    widths: tuple[int, ...]
    """Kept units of each hidden layer."""
    own_places: Tensor | None = None
    """(E, K, p): where each of them lies in a copy of the member's parameters that its task has for itself; None on the
    CPU, where nobody asks."""

    @staticmethod
    def locate(units: Sequence[Tensor], in_dim: int, out_dim: int, heads: int = 1) -> SubNetworks:
        """Return where the kept units' parameters lie.

        Args:
            units: For each hidden layer (E, K, H), with the same number of ones for every task.
            in_dim: Features of the input without the one-hot, all of which are kept.
            out_dim: Features of the output that a task has, all of which are kept.
            heads: 1, or K where every task has a head of its own.
        """
        n_members, n_tasks, _ = units[0].shape
        device = units[0].device
        kept_units = [mask.nonzero()[:, 2].view(n_members, n_tasks, -1) for mask in units]
        kept_inputs = torch.arange(in_dim, device=device).expand(n_members, n_tasks, -1)
        one_hot = (in_dim + torch.arange(n_tasks, device=device)).view(1, -1, 1).expand(n_members, -1, -1)
        of_task = torch.arange(n_tasks if heads > 1 else 1, device=device).view(-1, 1) * out_dim
        kept_outputs = (of_task + torch.arange(out_dim, device=device)).expand(n_members, n_tasks, -1)
        rows = [torch.cat((kept_inputs, one_hot), dim=2), *kept_units]
        columns = [*kept_units, kept_outputs]
        heights = [in_dim + n_tasks, *(mask.shape[2] for mask in units)]
        widths = [*heights[1:], heads * out_dim]
        starts = list(accumulate([*(h * w for h, w in zip(heights, widths, strict=True)), *widths], initial=0))
        weights = [
            start + (row.unsqueeze(3) * width + column.unsqueeze(2)).flatten(2)
            for start, row, column, width in zip(starts, rows, columns, widths, strict=False)
        ]
        biases = [start + column for start, column in zip(starts[len(rows) :], columns, strict=False)]
        members = torch.arange(n_members, device=device).view(-1, 1, 1) * starts[-1]
        positions = members + torch.cat(weights + biases, dim=2)
        own_places = None if topk.on_host(positions) else positions - members
        return SubNetworks(tuple(units), positions, tuple(kept.shape[2] for kept in kept_units), own_places)


Rows = list[list[Tensor]]
"""For each masked network, for each shape of its layout, (K, n)."""
Masks = WeightMasks | UnitMasks | SubNetworks | None
"""Masks of one network (E members); None is the dense network."""


@dataclass(frozen=True)
class MaskSet:
    """The masks of all networks and tasks, published as a whole.

    Collection, evaluation and learning use one and the same set; its version is how that is checked.
    """

    version: int
    """0 is the dense set of the pretraining epochs; each publication adds one."""
    policy: Masks
    critic: Masks
    """Both Q networks' (E = 2); the target networks use them as well."""
    shared: bool = False
    """Whether all tasks have the same masks."""

    def kept_elements(self) -> dict[str, Tensor]:
        """Return for each masked network which elements each task keeps: (K, n) boolean, or (1, n) if shared."""
        rows = 1 if self.shared else None
        networks = {"policy": (self.policy, 0), "q1": (self.critic, 0), "q2": (self.critic, 1)}
        return {
            name: torch.cat([tensor[member, :rows].flatten(1) for tensor in mask_tensors(masks)], dim=1).bool()
            for name, (masks, member) in networks.items()
            if masks is not None
        }


def mask_tensors(masks: Masks) -> tuple[Tensor, ...]:
    """Return the mask tensors (E, K, ...) of a network, biases last."""
    if masks is None:
        return ()
    return (masks.elements,) if isinstance(masks, WeightMasks) else masks.units


@dataclass(frozen=True)
class MaskLayout:
    """Which tensors of a base network are masked, and how masks are put together from flat rows of elements."""

    granularity: str
    in_dim: int
    """Features of the input without the one-hot."""
    out_dim: int
    """Features of a task's output."""
    weight_shapes: tuple[tuple[int, int], ...]
    """(D_in, D_out) of each layer as a task has it, D_in with the one-hot."""
    mask_biases: bool
    heads: int = 1
    """1, or K where every task has a head of its own."""

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Shape of each masked tensor of one member and task: one exact top-k is taken in each."""
        if self.granularity == "neuron":
            return [(width,) for _, width in self.weight_shapes[:-1]]
        biases = [(width,) for _, width in self.weight_shapes] if self.mask_biases else []
        return [*self.weight_shapes, *biases]

    def assemble(self, members: Sequence[Sequence[Tensor]]) -> WeightMasks | UnitMasks:
        """Return the masks of all members in one.

        Args:
            members: For each of E members, for each shape in `shapes`, (K, n) of zeros and ones.
        """
        tensors = [torch.stack(same) for same in zip(*members, strict=True)]
        return UnitMasks(tuple(tensors)) if self.granularity == "neuron" else WeightMasks(torch.cat(tensors, dim=2))

    def from_tensors(self, tensors: Sequence[Tensor]) -> WeightMasks | SubNetworks | None:
        """Return the published masks of which `mask_tensors` gave these; no tensors is the dense network."""
        if not tensors:
            return None
        floats = [tensor.to(torch.get_default_dtype()) for tensor in tensors]
        if self.granularity == "neuron":
            return SubNetworks.locate(floats, self.in_dim, self.out_dim, self.heads)
        return WeightMasks(*floats)

    def publishable(self, masks: WeightMasks | UnitMasks) -> WeightMasks | SubNetworks:
        """Return masks in the form in which they are published."""
        if isinstance(masks, UnitMasks):
            return SubNetworks.locate(masks.units, self.in_dim, self.out_dim, self.heads)
        return masks

    def split(self, masks: Masks) -> list[list[Tensor]]:
        """Return what `assemble` was given: for each member and shape (K, n) of zeros and ones.

        Args:
            masks: Of a network that is masked.
        """
        tensors = mask_tensors(masks)
        if self.granularity == "weight":
            tensors = tensors[0].split([math.prod(shape) for shape in self.shapes], dim=2)
        return [[tensor[member] for tensor in tensors] for member in range(len(tensors[0]))]

    def kept(self, pruning_ratio: float) -> list[int]:
        """Return how many elements are kept of each masked tensor."""
        return [kept(torch.Size(shape).numel(), pruning_ratio) for shape in self.shapes]

    def kept_parameters(self, pruning_ratio: float) -> tuple[int, int]:
        """Count the (weights, biases) that a task uses of one network, the rows of all tasks' one-hots included."""
        weights = [math.prod(shape) for shape in self.weight_shapes]
        biases = [width for _, width in self.weight_shapes]
        if self.granularity == "neuron":
            widths = [self.weight_shapes[0][0], *self.kept(pruning_ratio), self.out_dim]
            return sum(math.prod(shape) for shape in pairwise(widths)), sum(widths[1:])
        counts = self.kept(pruning_ratio)
        return sum(counts[: len(weights)]), sum(counts[len(weights) :]) if self.mask_biases else sum(biases)
