"""PaCo's treatment of tasks whose loss explodes (arXiv 2210.11653).

Policy and each Q network have parameter sets and tasks' weights of their own (in the paper's code policy and Q networks
share the weights).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from must.algorithms import Agent, TaskWeighting, TaskWeights
from must.methods.paco import PacoConfig
from must.methods.paco.network import CompositionalMLP
from must.seeding import Stream


class Restarts(TaskWeighting):
    """Leaves a task out of the step whose loss explodes, which would ruin the parameter sets for all.

    It starts anew with a random mixture of the other tasks' weights.
    """

    columns = ("restarted_tasks",)

    def __init__(self, agent: Agent) -> None:
        """Start without a restart."""
        super().__init__(agent)
        agent.add_rng("mixtures", Stream.MIXTURES)
        self._threshold = self._config.section(PacoConfig).loss_threshold
        self._exploded = torch.zeros(self.n_tasks, dtype=torch.bool, device=self.device)
        self._restarts = torch.zeros((), device=self.device)

    def weights(self, of_policy: Tensor, of_critic: Tensor) -> TaskWeights:
        """Return 0 for the tasks that exploded, 1 for the others."""
        # Q values are as large as rewards, and their losses as squares of them: at any scale the same tasks explode.
        scale = self._config.env.reward_scale
        of_tasks = of_policy.mean(1) / scale + of_critic.mean(2).sum(0) / scale**2
        torch.gt(of_tasks, self._threshold, out=self._exploded)
        weights = (~self._exploded).float()
        return TaskWeights(weights, weights)

    @torch.no_grad()
    def after_step(self, critic_losses: Callable[[], Tensor]) -> None:  # noqa: ARG002
        """Restart the tasks that exploded."""
        restart = self._exploded & ~self._exploded.all()  # with all of them gone there is nothing to start from
        for network in (self._agent.policy, self._agent.critic):
            assert isinstance(network, CompositionalMLP)
            mixture = network.mixture
            shape = len(mixture), self.n_tasks, self.n_tasks
            shares = torch.rand(shape, generator=self._agent.rngs["mixtures"], device=self.device) * ~self._exploded
            shares = shares / shares.sum(2, keepdim=True).clamp_min(1e-12)
            mixture.copy_(torch.where(restart[:, None], shares @ mixture, mixture))
        self._restarts += restart.sum()

    def end_learning(self, number: int) -> dict[str, Any]:  # noqa: ARG002
        """Return how many tasks were restarted in the epoch."""
        count = float(self._restarts)
        self._restarts.zero_()
        return {"restarted_tasks": count}
