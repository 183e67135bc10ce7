"""How the batches of a gradient step lie in the rows of matrix products."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Form(NamedTuple):
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
        """Return batches (E, K, B, F) as the inputs of N matrix products: (N, rows, F)."""
        packed = batches[0] if len(batches) == 1 else torch.stack(batches, dim=1 if self.shared else 2)
        return packed.reshape(self.n_members * (1 if self.shared else self.n_tasks), -1, packed.shape[-1])

    def unpack(self, packed: Tensor) -> tuple[Tensor, ...]:
        """Return the batches (E, K, B, F) that `pack` was given."""
        if self.shared:
            return self.by_task(packed).unbind(1)
        return packed.view(self.n_members, self.n_tasks, -1, self.n_rows, packed.shape[2]).unbind(2)

    def one_batch(self, packed: Tensor) -> Tensor:
        """Return the one batch (E, K, B, F) that `pack` was given."""
        return packed.view(self.n_members, self.n_tasks, self.n_rows, packed.shape[2])

    def by_task(self, packed: Tensor) -> Tensor:
        """View the rows of shared weights as (E, batches, K, B, F)."""
        return packed.view(len(packed), -1, self.n_tasks, self.n_rows, packed.shape[2])
