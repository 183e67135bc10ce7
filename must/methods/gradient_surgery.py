"""Gradient surgery: the tasks' gradients are changed before they are added up (arXiv 2001.06782, 2110.14048).

Both methods use a weighted sum of the tasks' gradients, with weights that depend on their lengths and the angles
between them. So the K x K inner products suffice; the gradients themselves are read twice, once for these and once for
the sum. Policy and Q networks are treated each by itself; the temperatures, of which every task has its own, have
no conflicts.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from must.algorithms import Agent, TaskFunctions
from must.config import RunConfig
from must.networks import MaskedMLP, TaskParameters
from must.seeding import Stream


class SurgeryAgent(Agent):
    """Multi-task SAC whose gradient is a weighted sum of the tasks' gradients."""

    policy: MaskedMLP
    critic: MaskedMLP

    @abstractmethod
    def weigh(self, products: Tensor) -> Tensor:
        """Return the weight of each task's gradient in the step.

        Args:
            products: (E, K, K) inner products of the tasks' gradients, in double precision.

        Returns:
            (E, K); all 1/K is the mean gradient.
        """

    def _task_functions(self, learn_masks: bool) -> TaskFunctions:
        functions = super()._task_functions(learn_masks)
        return functions._replace(policy=self._copies(self.policy), critic=self._copies(self.critic))

    def _copies(self, network: MaskedMLP) -> TaskParameters:
        """Return a network with a copy of the parameters for each task, whose gradient is then the task's own."""
        copies = network.flat.detach().unsqueeze(1).repeat(1, self.n_tasks, 1).requires_grad_()
        return network.task_parameters(None)._replace(flat=copies)

    def combine_gradients(self, functions: TaskFunctions) -> None:
        """Weigh the gradients of the tasks; see `Hooks`."""
        assert isinstance(functions.policy, TaskParameters)
        assert isinstance(functions.critic, TaskParameters)
        gradients = []
        for function in (functions.policy, functions.critic):
            assert function.flat.grad is not None
            gradients.append(function.flat.grad * self.n_tasks)  # the losses are averaged over tasks
        weights = self.weigh(torch.cat([each @ each.mT for each in gradients]).double()).float().unsqueeze(1)
        self.policy.flat.grad = (weights[:1] @ gradients[0]).squeeze(1)
        self.critic.flat.grad = (weights[1:] @ gradients[1]).squeeze(1)


class PcgradAgent(SurgeryAgent):
    """PCGrad: of each task's gradient, what points against another task's gradient is taken away."""

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        """Draw the initial networks; see `Agent`."""
        super().__init__(config, device)
        self._add_rng("surgery", Stream.SURGERY)

    def weigh(self, products: Tensor) -> Tensor:
        """Project each gradient in turn onto the normal planes of those it conflicts with, in random order.

        The projected gradient of task i is a sum of c_ij times the gradient of task j; it starts with c = 1.
        """
        n_members, n_tasks, _ = products.shape
        shape = n_members, n_tasks, n_tasks
        orders = torch.rand(shape, generator=self.rngs["surgery"], device=self.device).argsort(2)
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


class CagradAgent(SurgeryAgent):
    """CAGrad: near the mean gradient, the step that does most for the task that gains least from it."""

    def weigh(self, products: Tensor) -> Tensor:
        """Solve the dual problem; the direction is scaled by 1 / (1 + c^2), as published."""
        c, n_tasks = self._config.cagrad.c, products.shape[1]
        mean = products.new_full((len(products), n_tasks), 1 / n_tasks)
        size = products.mean((1, 2)).clamp_min(1e-30).sqrt()  # of the mean gradient
        worst = worst_mixture(products / size.square()[:, None, None], c)
        length = (worst.unsqueeze(1) @ products @ worst.unsqueeze(2)).flatten().clamp_min(1e-30).sqrt()
        return (mean + (c * size / length)[:, None] * worst) / (1 + c**2)


ITERATIONS = 30
"""Of the dual problem's solution: with 2 to 50 tasks its value is then within 0.005 of the exact minimum (tested)."""
FIRST_STEP, LONGER, SHORTER = 4.0, 1.2, 0.3
"""Length of a step in logits, and its factors after one that was better or worse."""


def worst_mixture(products: Tensor, c: float) -> Tensor:
    """Minimise g_w . g_0 + c |g_w| over mixtures g_w of gradients, |g_0| being 1: the dual problem of CAGrad.

    Exponentiated gradient steps from the best mixture so far: a fixed number, so that nothing waits for the device.

    Args:
        products: (E, K, K) inner products of the gradients, g_0 their mean.
        c: Radius.

    Returns:
        (E, K) shares that are not negative and sum to 1.
    """
    with_mean = products.mean(2)
    logits = best = torch.zeros_like(with_mean)
    best_slope = torch.zeros_like(with_mean)
    best_value = with_mean.new_full((len(products), 1), torch.inf)
    length = torch.full_like(best_value, FIRST_STEP)
    for _ in range(ITERATIONS):
        shares = torch.softmax(logits, 1)
        with_all = (products @ shares.unsqueeze(2)).squeeze(2)
        norm = (shares * with_all).sum(1, keepdim=True).clamp_min(1e-12).sqrt()
        value = (shares * with_mean).sum(1, keepdim=True) + c * norm
        slope = with_mean + c * with_all / norm
        spread = (slope.amax(1, keepdim=True) - slope.amin(1, keepdim=True)).clamp_min(1e-12)
        better = value < best_value
        best, best_slope = torch.where(better, logits, best), torch.where(better, slope / spread, best_slope)
        best_value = torch.minimum(value, best_value)
        length = length * torch.where(better, LONGER, SHORTER)
        logits = best - length * best_slope
    return torch.softmax(best, 1)
