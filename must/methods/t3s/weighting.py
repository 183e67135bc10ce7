"""T3S's scheduler, which attends to tasks that fail or get worse."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from must.algorithms import Agent, TaskWeighting, TaskWeights
from must.methods.t3s import T3sConfig
from must.types import Collected


class TaskScheduler:
    """Turns the tasks' success in training episodes into their shares of the learning.

    With the success rates rho of a window of episodes and rho' of the window before it, a task that fails has a large
    1 - rho, one that gets worse a large -(rho - rho'); the shares are the mean of two softmaxes, one of each.
    """

    def __init__(self, n_tasks: int, window: int, tau: float) -> None:
        """Start without episodes.

        Args:
            n_tasks: K.
            window: Episodes of a task that its success rate is taken from.
            tau: Temperature of the softmaxes.
        """
        self._window, self._tau = window, tau
        self.successes = [deque[bool](maxlen=2 * window) for _ in range(n_tasks)]
        """For each task whether its newest episodes succeeded, the newest one last."""

    def shares(self) -> npt.NDArray[np.float64]:
        """Return the tasks' shares (K,), which sum to 1: equal ones until an episode of each task has ended."""
        if not all(self.successes):
            return np.full(len(self.successes), 1 / len(self.successes))
        rates = np.array([self._rates(list(successes)) for successes in self.successes])
        failing, worse = 1 - rates[:, 0], rates[:, 1] - rates[:, 0]
        return 0.5 * _softmax(failing / self._tau) + 0.5 * _softmax(worse / self._tau)

    def _rates(self, successes: list[bool]) -> tuple[float, float]:
        """Return the success rates of the newest window and of the one before; without one before it, no change."""
        rate = float(np.mean(successes[-self._window :]))
        before = successes[: -self._window]
        return rate, float(np.mean(before)) if before else rate


class Scheduled(TaskWeighting):
    """Weighs the tasks' losses by the scheduler's shares.

    T3S as published draws the tasks to collect from, and the rows of a batch, in proportion to the scheduler's shares.
    Here every task collects the same and has the same rows in a batch, and its losses are weighted with K times its
    share: the expected gradient is the same, and methods are compared at equal environment steps of every task.
    """

    def __init__(self, agent: Agent) -> None:
        """Start with tasks that count the same."""
        super().__init__(agent)
        own = self._config.section(T3sConfig)
        self._scheduler = TaskScheduler(self.n_tasks, own.scheduler_window, own.scheduler_tau)
        self._weights = torch.ones(self.n_tasks, device=self.device)
        self.columns = tuple(f"task_weight/{task}" for task in self._config.env.task_names)

    def on_collected(self, collected: Sequence[Collected]) -> None:
        """Record the episodes that ended."""
        for successes, part in zip(self._scheduler.successes, collected, strict=True):
            successes.extend(bool(episode.success) for episode in part.episodes)
        self._weigh()

    def end_learning(self, number: int) -> dict[str, Any]:  # noqa: ARG002 (the same in every epoch)
        """Return the tasks' weights in the epoch."""
        return dict(zip(self.columns, (self.n_tasks * self._scheduler.shares()).tolist(), strict=True))

    def weights(self, of_policy: Tensor, of_critic: Tensor) -> TaskWeights:  # noqa: ARG002 (the scheduler decides)
        """Return the scheduler's weights."""
        return TaskWeights(self._weights, self._weights)

    def state(self) -> dict[str, Any]:
        """Return the episodes that the scheduler looks at."""
        return {"successes": [list(successes) for successes in self._scheduler.successes]}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state` returned."""
        for successes, saved in zip(self._scheduler.successes, state["successes"], strict=True):
            successes.clear()
            successes.extend(saved)
        self._weigh()

    def _weigh(self) -> None:
        """Bring the scheduler's weights to the device, to where gradient steps read them."""
        self._weights.copy_(torch.from_numpy(self.n_tasks * self._scheduler.shares()))


def _softmax(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return exp(v) / sum exp(v) of (K,)."""
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum(), dtype=np.float64)
