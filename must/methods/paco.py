"""PaCo: parameter-compositional multi-task SAC (arXiv 2210.11653).

Policy and each Q network have parameter sets and tasks' weights of their own (in the paper's code policy and Q networks
share the weights).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from must.algorithms import Agent
from must.config import RunConfig
from must.networks import BaseNetwork, CompositionalMLP
from must.seeding import Stream


class PacoAgent(Agent):
    """Multi-task SAC on composed networks.

    A task whose loss explodes would ruin the sets for all. It is left out of the step, and starts anew with a random
    mixture of the other tasks' weights.
    """

    columns = ("restarted_tasks",)
    policy: CompositionalMLP
    critic: CompositionalMLP

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        """Draw the initial networks; see `Agent`."""
        super().__init__(config, device)
        self._add_rng("mixtures", Stream.MIXTURES)
        self._exploded = torch.zeros(self.n_tasks, dtype=torch.bool, device=device)
        self._restarts = torch.zeros((), device=device)

    def _network(self, n_members: int, in_dim: int, out_dim: int) -> BaseNetwork:
        sizes, n_sets = self._config.network.hidden_sizes, self._config.paco.n_sets
        hidden = self._hidden(n_members, in_dim)
        return CompositionalMLP(n_members, in_dim, self.n_tasks, sizes, out_dim, n_sets, hidden)

    def _task_weights(self, of_policy: Tensor, of_critic: Tensor) -> Tensor:
        # Q values are as large as rewards, and their losses as squares of them: at any scale the same tasks explode.
        scale = self._config.env.reward_scale
        of_tasks = of_policy.mean(1) / scale + of_critic.mean(2).sum(0) / scale**2
        torch.gt(of_tasks, self._config.paco.loss_threshold, out=self._exploded)
        return (~self._exploded).float()

    @torch.no_grad()
    def _after_step(self, learn_masks: bool) -> Sequence[Tensor]:  # noqa: ARG002
        restart = self._exploded & ~self._exploded.all()  # with all of them gone there is nothing to start from
        for network in (self.policy, self.critic):
            mixture = network.mixture
            shape = len(mixture), self.n_tasks, self.n_tasks
            shares = torch.rand(shape, generator=self.rngs["mixtures"], device=self.device) * ~self._exploded
            shares = shares / shares.sum(2, keepdim=True).clamp_min(1e-12)
            mixture.copy_(torch.where(restart[:, None], shares @ mixture, mixture))
        self._restarts += restart.sum()
        return ()

    def end_learning(self, number: int) -> dict[str, Any]:  # noqa: ARG002
        """Return how many tasks were restarted in the epoch."""
        count = float(self._restarts)
        self._restarts.zero_()
        return {"restarted_tasks": count}
