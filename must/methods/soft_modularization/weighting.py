"""The losses' weights of soft modularization (arXiv 2003.13661)."""

from __future__ import annotations

from torch import Tensor

from must.algorithms import TaskWeighting, TaskWeights
from must.methods.soft_modularization import SoftModularizationConfig


class ByTemperature(TaskWeighting):
    """A task counts the more the lower its temperature is: tasks that are mastered need little exploration."""

    def weights(self, of_policy: Tensor, of_critic: Tensor) -> TaskWeights:  # noqa: ARG002 (temperatures decide)
        """Return K softmax(-log temperature)."""
        if not self._config.section(SoftModularizationConfig).weighted_losses:
            return TaskWeights()
        weights = self.n_tasks * (-self._agent.log_alpha.detach()).softmax(0)
        return TaskWeights(weights, weights)
