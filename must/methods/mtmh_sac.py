"""Multi-task multi-head SAC (arXiv 1910.10897): a shared trunk, and a head for each task."""

from __future__ import annotations

from must.algorithms import Agent
from must.networks import BaseNetwork, MultiHeadMLP


class MultiHeadAgent(Agent):
    """Multi-task SAC whose policy and Q networks have a head for each task."""

    def _network(self, n_members: int, in_dim: int, out_dim: int) -> BaseNetwork:
        sizes, init = self._config.network.hidden_sizes, self._config.network.init
        return MultiHeadMLP(n_members, in_dim, self.n_tasks, sizes, out_dim, init)
