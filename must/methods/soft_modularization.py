"""Soft modularization: a routing network mixes modules for each task and observation (arXiv 2003.13661)."""

from __future__ import annotations

from torch import Tensor

from must.algorithms import Agent
from must.networks import BaseNetwork
from must.networks.modular import ModularNetwork


class SoftModularizationAgent(Agent):
    """Multi-task SAC with a modular policy and modular Q networks.

    Where the losses are weighted, a task counts the more the lower its temperature is: tasks that are mastered need
    little exploration.
    """

    def _network(self, n_members: int, in_dim: int, out_dim: int) -> BaseNetwork:
        ours = self._config.soft_modularization
        return ModularNetwork(
            n_members,
            in_dim,
            self.n_tasks,
            out_dim,
            ours.shape,
            ours.encoder_sizes,
            ours.routing_size,
            self._hidden(n_members, in_dim),
        )

    def _task_weights(self, of_policy: Tensor, of_critic: Tensor) -> Tensor | None:  # noqa: ARG002 (temperatures decide)
        if not self._config.soft_modularization.weighted_losses:
            return None
        return self.n_tasks * (-self.log_alpha.detach()).softmax(0)
