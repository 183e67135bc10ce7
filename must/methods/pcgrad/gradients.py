"""Projection of conflicting gradients (PCGrad, arXiv 2001.06782)."""

from __future__ import annotations

import torch
from torch import Tensor

from must.algorithms import Agent, WeighedGradients
from must.seeding import Stream


class Pcgrad(WeighedGradients):
    """PCGrad: of each task's gradient, what points against another task's gradient is taken away."""

    def __init__(self, agent: Agent) -> None:
        """Add a random stream, for the order in which tasks meet."""
        super().__init__(agent)
        agent.add_rng("surgery", Stream.SURGERY)

    def weigh(self, products: Tensor) -> Tensor:
        """Project each gradient in turn onto the normal planes of those it conflicts with, in random order.

        The projected gradient of task i is a sum of c_ij times the gradient of task j; it starts with c = 1.
        """
        n_members, n_tasks, _ = products.shape
        shape = n_members, n_tasks, n_tasks
        orders = torch.rand(shape, generator=self._agent.rngs["surgery"], device=self.device).argsort(2)
        chosen = torch.eye(n_tasks, dtype=products.dtype, device=self.device).expand(shape).clone()
        tasks = torch.arange(n_tasks, device=self.device)
        squares = products.diagonal(dim1=1, dim2=2)
        for step in range(n_tasks):
            other = orders[:, :, step]  # (E, K): which task's gradient each is held against
            along = (chosen * products.gather(1, other.unsqueeze(2).expand(shape))).sum(2)
            conflict = (along < 0) & (other != tasks)
            share = along / squares.gather(1, other).clamp_min(1e-30)
            chosen.scatter_add_(2, other.unsqueeze(2), torch.where(conflict, -share, 0).unsqueeze(2))
        return chosen.mean(1)
