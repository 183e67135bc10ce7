"""Conflict-averse gradients (CAGrad, arXiv 2110.14048)."""

from __future__ import annotations

import torch
from torch import Tensor

from must.algorithms import WeighedGradients
from must.methods.cagrad import CagradConfig


class Cagrad(WeighedGradients):
    """CAGrad: near the mean gradient, the step that does most for the task that gains least from it."""

    def weigh(self, products: Tensor) -> Tensor:
        """Solve the dual problem; the direction is scaled by 1 / (1 + c^2), as published."""
        c, n_tasks = self._config.section(CagradConfig).c, products.shape[1]
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
