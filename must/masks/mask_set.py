"""Masks in the forms in which networks use them, and the published set of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from must.masks.topk import kept, random_mask


class WeightMasks(NamedTuple):
    """Masks of single weights; while they are learned they carry a gradient."""

    weights: tuple[Tensor, ...]
    """For each layer (E, K, D_in, D_out) of zeros and ones, D_in with the one-hot's K rows last."""
    biases: tuple[Tensor, ...] | None
    """For each layer (E, K, D_out), or None where biases are not masked."""

    def detach(self) -> WeightMasks:
        """Give the same masks without gradient."""
        biases = None if self.biases is None else tuple(mask.detach() for mask in self.biases)
        return WeightMasks(tuple(mask.detach() for mask in self.weights), biases)


class UnitMasks(NamedTuple):
    """Masks of hidden units, as factors on their activations: the form in which they are learned."""

    units: tuple[Tensor, ...]
    """For each hidden layer (E, K, H) of zeros and ones, with gradient."""

    def detach(self) -> UnitMasks:
        """Give the same masks without gradient."""
        return UnitMasks(tuple(mask.detach() for mask in self.units))


class SubNetworks(NamedTuple):
    """Masks of hidden units, as the smaller dense networks that they leave: the form in which they are published.

    Every task keeps the same number of units in a layer, so that all sub-networks are one batch of matrices.
    """

    units: tuple[Tensor, ...]
    """For each hidden layer (E, K, H) of zeros and ones."""
    weight_positions: tuple[Tensor, ...]
    """For each layer (E, K, D_in, D_out) of the sub-network: positions in the flattened weight tensor."""
    bias_positions: tuple[Tensor, ...]
    """For each hidden layer (E, K, D_out): positions in the flattened bias tensor."""
    one_hot_positions: Tensor
    """(E, K, D_out): positions, in the first layer's weights, of the row that the task's one-hot picks."""

    @staticmethod
    def locate(units: Sequence[Tensor], in_dim: int, out_dim: int) -> SubNetworks:
        """Find out where the kept units' parameters lie.

        Args:
            units: For each hidden layer (E, K, H), with the same number of ones for every task.
            in_dim: Features of the input without the one-hot, all of which are kept.
            out_dim: Features of the output, all of which are kept.
        """
        n_members, n_tasks, _ = units[0].shape
        device = units[0].device
        members = torch.arange(n_members, device=device).view(-1, 1, 1)
        kept_units = [mask.nonzero()[:, 2].view(n_members, n_tasks, -1) for mask in units]
        inputs = [torch.arange(in_dim, device=device).expand(n_members, n_tasks, -1), *kept_units]
        outputs = [*kept_units, torch.arange(out_dim, device=device).expand(n_members, n_tasks, -1)]
        heights = [in_dim + n_tasks, *(mask.shape[2] for mask in units)]
        widths = [*heights[1:], out_dim]
        weight_positions = tuple(
            (members * height + rows).unsqueeze(3) * width + columns.unsqueeze(2)
            for rows, columns, height, width in zip(inputs, outputs, heights, widths, strict=True)
        )
        bias_positions = tuple(
            members * width + columns for columns, width in zip(kept_units, widths[:-1], strict=True)
        )
        one_hot_rows = in_dim + torch.arange(n_tasks, device=device).view(1, -1, 1)
        one_hot_positions = (members * heights[0] + one_hot_rows) * widths[0] + kept_units[0]
        return SubNetworks(tuple(units), weight_positions, bias_positions, one_hot_positions)


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

    def kept_elements(self) -> dict[str, Tensor]:
        """Give, for each masked network, which elements each task keeps: (K, n) boolean."""
        networks = {"policy": (self.policy, 0), "q1": (self.critic, 0), "q2": (self.critic, 1)}
        return {
            name: torch.cat([tensor[member].flatten(1) for tensor in mask_tensors(masks)], dim=1).bool()
            for name, (masks, member) in networks.items()
            if masks is not None
        }


def mask_tensors(masks: Masks) -> tuple[Tensor, ...]:
    """Give the mask tensors (E, K, ...) of a network, biases last."""
    if masks is None:
        return ()
    if isinstance(masks, WeightMasks):
        return masks.weights + (masks.biases or ())
    return masks.units


@dataclass(frozen=True)
class MaskLayout:
    """Which tensors of a base network are masked, and how masks are put together from flat rows of elements."""

    granularity: str
    in_dim: int
    """Features of the input without the one-hot."""
    out_dim: int
    weight_shapes: tuple[tuple[int, int], ...]
    """(D_in, D_out) of each layer, D_in with the one-hot."""
    mask_biases: bool

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Shape of each masked tensor of one member and task: one exact top-k is taken in each."""
        if self.granularity == "neuron":
            return [(width,) for _, width in self.weight_shapes[:-1]]
        biases = [(width,) for _, width in self.weight_shapes] if self.mask_biases else []
        return [*self.weight_shapes, *biases]

    def assemble(self, members: Sequence[Sequence[Tensor]]) -> WeightMasks | UnitMasks:
        """Put masks together.

        Args:
            members: For each of E members, for each shape in `shapes`, (K, n) of zeros and ones.
        """
        tensors = [
            torch.stack([tensor.view(len(tensor), *shape) for tensor in same])
            for same, shape in zip(zip(*members, strict=True), self.shapes, strict=True)
        ]
        return UnitMasks(tuple(tensors)) if self.granularity == "neuron" else self._weight_masks(tensors)

    def from_tensors(self, tensors: Sequence[Tensor]) -> WeightMasks | SubNetworks | None:
        """Put published masks together from what `mask_tensors` gave of them; no tensors is the dense network."""
        if not tensors:
            return None
        floats = [tensor.float() for tensor in tensors]
        if self.granularity == "neuron":
            return SubNetworks.locate(floats, self.in_dim, self.out_dim)
        return self._weight_masks(floats)

    def publishable(self, masks: WeightMasks | UnitMasks) -> WeightMasks | SubNetworks:
        """Bring masks into the form in which they are published."""
        if isinstance(masks, UnitMasks):
            return SubNetworks.locate(masks.units, self.in_dim, self.out_dim)
        return masks

    def random(
        self, n_members: int, n_tasks: int, pruning_ratio: float, generator: torch.Generator, device: torch.device
    ) -> WeightMasks | SubNetworks:
        """Draw random masks of exact density, for use before the first mask update."""
        members = [
            [
                random_mask((n_tasks, torch.Size(shape).numel()), pruning_ratio, generator, device)
                for shape in self.shapes
            ]
            for _ in range(n_members)
        ]
        return self.publishable(self.assemble(members))

    def kept(self, pruning_ratio: float) -> list[int]:
        """Give how many elements are kept of each masked tensor."""
        return [kept(torch.Size(shape).numel(), pruning_ratio) for shape in self.shapes]

    def _weight_masks(self, tensors: Sequence[Tensor]) -> WeightMasks:
        n_layers = len(self.weight_shapes)
        return WeightMasks(tuple(tensors[:n_layers]), tuple(tensors[n_layers:]) if self.mask_biases else None)
