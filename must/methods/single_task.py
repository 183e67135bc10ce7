"""Single-task SAC: as many separate agents as tasks, the upper reference of every multi-task method."""

from __future__ import annotations

from must.algorithms import Agent, TaskFunctions
from must.networks import SeparateMLPs


class SingleTaskAgent(Agent):
    """K separate agents that learn side by side. Neither parameters nor gradients of one reach another."""

    _perceptron = SeparateMLPs

    def combine_gradients(self, functions: TaskFunctions) -> None:  # noqa: ARG002
        """Undo that losses are averaged over tasks: each task's gradient is clipped at the size it has alone."""
        for network in (self.policy, self.critic):
            assert network.flat.grad is not None
            network.flat.grad.mul_(self.n_tasks)
