"""From scores to masks: exactly k of n, and a gradient that goes straight through.

How many (`kept`), which (`top_k_mask`), and how a gradient reaches the scores (`straight_through`) are separate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def kept(n: int, pruning_ratio: float) -> int:
    """Return how many of n elements a mask keeps: max(1, round((1 - pruning_ratio) * n))."""
    return max(1, round((1 - pruning_ratio) * n))


def top_k_mask(scores: Tensor, k: int) -> Tensor:
    """Keep exactly the k highest scores of the last axis; among equal scores those with the lower index.

    Args:
        scores: (..., n)
        k: 1 to n.

    Returns:
        (..., n) of zeros and ones, in the type of the scores.
    """
    return _keep(scores, _kth_highest(scores, k), k)


def _kth_highest(scores: Tensor, k: int) -> Tensor:
    """Return the k-th highest score of (..., n): (..., 1)."""
    n = scores.shape[-1]
    if n < LONG or not on_host(scores):
        return scores.kthvalue(n - k + 1, dim=-1, keepdim=True).values
    rows = scores.detach().reshape(-1, n).numpy()
    found = torch.tensor([_kth_highest_of_many(row, k) for row in rows], dtype=scores.dtype)
    return found.view(*scores.shape[:-1], 1)


def on_host(tensor: Tensor) -> bool:
    """Return whether steps are taken by the host one by one: then it may look at values, and sums have its order."""
    return tensor.device.type == "cpu"


LONG = 10_000
"""Scores from which on NumPy's selection is faster than PyTorch's."""


def _kth_highest_of_many(scores: npt.NDArray[Any], k: int) -> float:
    """Return the k-th highest score of (n,).

    Infinite scores, of elements that must or must not be kept, are only counted: where most values are the lowest one,
    NumPy's selection takes thirty times as long.
    """
    finite = np.isfinite(scores)
    rest = scores if finite.all() else scores[finite]
    place = k - int(np.count_nonzero(scores == np.inf))
    if not 1 <= place <= len(rest):
        return np.inf if place < 1 else -np.inf
    return float(np.partition(rest, len(rest) - place)[len(rest) - place])


def ranked_mask(scores: Tensor, count: Tensor) -> Tensor:
    """Keep so many of the highest scores as the device knows; see `top_k_mask`.

    Args:
        scores: (..., n)
        count: Of integers (), 0 to n.
    """
    ranked = scores.sort(dim=-1, descending=True).values
    last = ranked.gather(-1, (count - 1).clamp_min(0).expand(*scores.shape[:-1], 1))
    return _keep(scores, torch.where(count > 0, last, torch.inf), count)


def _keep(scores: Tensor, border: Tensor, k: int | Tensor) -> Tensor:
    reached = scores >= border
    if on_host(scores) and bool((reached.sum(-1) == k).all()):
        return reached.to(scores.dtype)
    above = scores > border
    ties = reached & ~above
    room = k - above.sum(-1, keepdim=True)
    return (above | (ties & (ties.cumsum(-1) <= room))).to(scores.dtype)


def standardise(scores: Tensor) -> Tensor:
    """Return scores (..., n) with mean 0 and standard deviation 1 over the last axis.

    The order of the scores, and so the mask, stays. But noise and the temperature of the relaxation then mean the same
    in every layer and for every generator, whatever the size of what it computes: no absolute number decides anything.
    Scores that are all equal become 0.
    """
    centred = scores - scores.mean(-1, keepdim=True)
    # The result does not depend on the scale, so no gradient is lost by taking this one for a constant; without it,
    # squares of small scores would underflow.
    largest = centred.detach().abs().amax(-1, keepdim=True)
    centred = centred / torch.where(largest > 0, largest, 1)
    variance = centred.square().mean(-1, keepdim=True)
    return centred * torch.where(variance > 0, variance, 1).rsqrt()


def gumbel_noise(shape: torch.Size, generator: torch.Generator, device: torch.device) -> Tensor:
    """Draw standard Gumbel noise."""
    uniform = torch.rand(shape, generator=generator, device=device).clamp_(1e-20, 1 - 1e-7)
    return uniform.log_().neg_().log_().neg_()


def straight_through(
    scores: Tensor,
    k: int,
    tau: float,
    relaxation: Literal["sigmoid", "softmax"],
    choose: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Return an exact mask of k elements, with the gradient of a soft one.

    Args:
        scores: (..., n), with gradient.
        k: Elements to keep.
        tau: Temperature of the soft mask, in units of the scores.
        relaxation: ``sigmoid``: sigmoid((score - k-th score) / tau), whose gradient is largest for the elements near
            the border, whatever n is. ``softmax``: k softmax(score / tau), the original's choice without the factor k;
            its gradients shrink as 1/n.
        choose: Makes the mask from the scores; left out, it is that of the k highest ones.

    Returns:
        (..., n): its values are exactly 0 and 1.
    """
    mask: Tensor = _StraightThrough.apply(scores, k, tau, relaxation, choose)
    return mask


class _StraightThrough(torch.autograd.Function):
    """The soft mask is needed for the gradient alone, so it is made there."""

    @staticmethod
    def forward(
        ctx: Any, scores: Tensor, k: int, tau: float, relaxation: str, choose: Callable[[Tensor], Tensor] | None
    ) -> Tensor:
        border = _kth_highest(scores, k)
        ctx.save_for_backward(scores, border)
        ctx.tau, ctx.relaxation = tau, relaxation
        return _keep(scores, border, k) if choose is None else choose(scores)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_mask: Tensor) -> Any:
        scores, border = ctx.saved_tensors
        if ctx.relaxation == "sigmoid":
            soft = (scores - border).div_(ctx.tau).sigmoid_()
            of_scores = torch.ops.aten.sigmoid_backward(of_mask, soft)
        else:
            soft = torch.softmax(scores / ctx.tau, dim=-1)
            of_scores = torch.ops.aten._softmax_backward_data(of_mask, soft, -1, soft.dtype)
        return of_scores.div_(ctx.tau), None, None, None, None
