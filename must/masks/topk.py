"""From scores to masks: exactly k of n, and a gradient that goes straight through.

How many (`kept`), which (`top_k_mask`), and how a gradient reaches the scores (`straight_through`) are separate.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor


def kept(n: int, pruning_ratio: float) -> int:
    """Give how many of n elements a mask keeps: max(1, round((1 - pruning_ratio) * n))."""
    return max(1, round((1 - pruning_ratio) * n))


def top_k_mask(scores: Tensor, k: int) -> Tensor:
    """Keep exactly the k highest scores of the last axis; among equal scores those with the lower index.

    Args:
        scores: (..., n)
        k: 1 to n.

    Returns:
        (..., n) of zeros and ones, in the type of the scores.
    """
    threshold = scores.kthvalue(scores.shape[-1] - k + 1, dim=-1, keepdim=True).values
    above = scores > threshold
    ties = scores == threshold
    room = k - above.sum(-1, keepdim=True)
    return (above | (ties & (ties.cumsum(-1) <= room))).to(scores.dtype)


def random_mask(
    shape: tuple[int, ...], pruning_ratio: float, generator: torch.Generator, device: torch.device
) -> Tensor:
    """Draw masks of exact density over the last axis: (..., n) of zeros and ones."""
    scores = torch.rand(shape, generator=generator, device=device, dtype=torch.float64)
    return top_k_mask(scores, kept(shape[-1], pruning_ratio)).float()


def standardise(scores: Tensor) -> Tensor:
    """Bring scores (..., n) to mean 0 and standard deviation 1 over the last axis.

    The order of the scores, and so the mask, stays. But the noise and the temperature of the relaxation then mean the
    same in every layer and for every generator, whatever the size of the scores it starts with.
    """
    centred = scores - scores.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-12).sqrt()


def gumbel_noise(shape: torch.Size, generator: torch.Generator, device: torch.device) -> Tensor:
    """Draw standard Gumbel noise."""
    uniform = torch.rand(shape, generator=generator, device=device).clamp_(1e-20, 1 - 1e-7)
    return -(-uniform.log()).log()


def straight_through(scores: Tensor, k: int, tau: float, relaxation: Literal["sigmoid", "softmax"]) -> Tensor:
    """Give the exact mask of k elements, with the gradient of a soft one.

    Args:
        scores: (..., n), with gradient.
        k: Elements to keep.
        tau: Temperature of the soft mask, in units of the scores.
        relaxation: ``sigmoid``: sigmoid((score - k-th score) / tau), whose gradient is largest for the elements near
            the border, whatever n is. ``softmax``: k softmax(score / tau), the original's choice without the factor k;
            its gradients shrink as 1/n.

    Returns:
        (..., n): its values are exactly 0 and 1.
    """
    hard = top_k_mask(scores.detach(), k)
    if relaxation == "sigmoid":
        border = scores.detach().kthvalue(scores.shape[-1] - k + 1, dim=-1, keepdim=True).values
        soft = torch.sigmoid((scores - border) / tau)
    else:
        soft = torch.softmax(scores / tau, dim=-1)
    return hard + (soft - soft.detach())
