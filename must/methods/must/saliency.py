"""Renewal of masks without a generator: dynamic sparse training for each task (RigL, arXiv 1911.11134)."""

from __future__ import annotations

import torch
from torch import Tensor

from must.algorithms.recording import Places
from must.masks import Rows, swapped_mask
from must.methods.must.mask_rule import MaskRule, Published
from must.types import Trajectories


class Saliency(MaskRule):
    """Drops what a task uses least, and takes in what would lower its loss most.

    Over the gradient steps of an update epoch it gathers the derivative g of the losses with respect to each element's
    mask. For an element that is kept, the mean of g^2 estimates what its removal costs (the empirical Fisher
    information of its factor; the mean of g itself is near 0 where training has converged). For one that is not, -g is
    by how much the loss falls to first order when it comes in, with the weights that other tasks gave it. Where these
    are large, so is g, but a whole step from 0 to 1 then goes far beyond the best one: so -g counts in units of its
    root mean square, a measure of how reliably the loss falls.
    """

    def __init__(self, kept: list[list[int]]) -> None:
        """Begin without anything gathered.

        Args:
            kept: For each masked network and shape, elements that a task keeps.
        """
        self._kept = kept
        self._published = Published([], [])
        self._places = Places()
        self._drawn: Rows = []
        self._sums: Rows = []
        self._squares: Rows = []

    def begin_update(
        self,
        published: Published,
        trajectories: Trajectories | None,  # noqa: ARG002
        rng: torch.Generator,  # noqa: ARG002
    ) -> dict[str, float]:
        """Begin to gather; see `MaskRule`."""
        self._published = published
        self._sums, self._squares = (
            [[torch.zeros_like(mask) for mask in network] for network in published.masks] for _ in range(2)
        )
        if self.in_place:
            self._published = published._replace(masks=self._placed("masks", published.masks))
            self._sums, self._squares = self._placed("sums", self._sums), self._placed("squares", self._squares)
        return {}

    @property
    def places_version(self) -> int:  # type: ignore[override]
        """Return the version of the places that steps read; see `MaskRule`."""
        return self._places.version

    def _placed(self, name: str, rows: Rows) -> Rows:
        """Copy tensors to where those of this name were in the update before."""
        return [self._places.put(f"{name} {number}", network) for number, network in enumerate(rows)]

    def draw(self, rng: torch.Generator) -> Rows:  # noqa: ARG002
        """Return the published masks, with gradient."""
        self._drawn = [[mask.clone().requires_grad_() for mask in network] for network in self._published.masks]
        return self._drawn

    def step(self) -> list[Tensor]:
        """Add up the derivatives of the losses with respect to the masks, and their squares."""
        for network, sums, squares in zip(self._drawn, self._sums, self._squares, strict=True):
            for mask, total, square in zip(network, sums, squares, strict=True):
                assert mask.grad is not None
                total += mask.grad
                square.addcmul_(mask.grad, mask.grad)
        return []

    def finish_update(self) -> tuple[Rows, dict[str, float]]:
        """Swap as many elements as the bound allows."""
        renewed = [
            [
                swapped_mask(square, -total / torch.where(square > 0, square, 1).sqrt(), mask, k, most)
                for square, total, mask, k, most in zip(*of_network, strict=True)
            ]
            for of_network in zip(
                self._squares, self._sums, self._published.masks, self._kept, self._published.most, strict=True
            )
        ]
        self._drawn, self._sums, self._squares = [], [], []
        return renewed, {}
