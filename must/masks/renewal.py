"""Which elements a renewal of the masks swaps: a bounded number, chosen by scores."""

from __future__ import annotations

import torch
from torch import Tensor

from must.masks.topk import ranked_mask, top_k_mask


def bounded_mask(scores: Tensor, published: Tensor, k: int, most: int | Tensor) -> Tensor:
    """Return the mask of highest scores among those that differ from a published one by few swaps.

    A swap takes in the element with the highest score that is not kept, for the kept one with the lowest score, as long
    as the first has the higher one: of all masks within the bound this has the highest sum of scores.

    Args:
        scores: (..., n)
        published: (..., n) of zeros and ones, k ones in each row.
        k: Elements to keep.
        most: How many elements may be swapped in each row; a tensor (), where the number is known to the device alone.

    Returns:
        (..., n) of zeros and ones, k ones in each row.
    """
    n = scores.shape[-1]
    if isinstance(most, Tensor):
        inside, count = published > 0, most.clamp_max(min(k, n - k))
        safe = ranked_mask(scores.masked_fill(~inside, -torch.inf), k - count) > 0
        candidates = ranked_mask(scores.masked_fill(inside, -torch.inf), count) > 0
        return _best_within(scores, safe, inside | candidates, k)
    if not binds(most, k, n):
        return top_k_mask(scores, k)
    if most == 0:
        return published.to(scores.dtype)
    inside = published > 0
    safe, candidates = _safe_and_candidates(scores, scores, inside, k, most)
    return _best_within(scores, safe, inside | candidates, k)


def binds(most: int | Tensor, k: int, n: int) -> bool:
    """Return whether there are masks of k of n elements that are more than ``most`` swaps from another."""
    return isinstance(most, Tensor) or most < min(k, n - k)


def _best_within(scores: Tensor, safe: Tensor, allowed: Tensor, k: int) -> Tensor:
    """Return the mask of the k highest scores among those allowed, with all that are safe."""
    return top_k_mask(scores.masked_fill(~allowed, -torch.inf).masked_fill(safe, torch.inf), k)


def swapped_mask(importance: Tensor, growth: Tensor, published: Tensor, k: int, count: int) -> Tensor:
    """Swap a number of elements: the least important ones for those that promise most.

    Args:
        importance: (..., n) of the elements that are kept; the others' are not read.
        growth: (..., n) of the elements that are not kept; the others' are not read.
        published: (..., n) of zeros and ones, k ones in each row.
        k: Elements to keep.
        count: How many elements are swapped in each row, as far as there are as many.

    Returns:
        (..., n) of zeros and ones, k ones in each row.
    """
    count = min(count, k, published.shape[-1] - k)
    if count == 0:
        return published.to(importance.dtype)
    safe, candidates = _safe_and_candidates(importance, growth, published > 0, k, count)
    return (safe | candidates).to(importance.dtype)


def _safe_and_candidates(
    importance: Tensor, growth: Tensor, inside: Tensor, k: int, count: int
) -> tuple[Tensor, Tensor]:
    """Return which k - ``count`` kept elements stay whatever comes, and which ``count`` others may come in."""
    safe = torch.zeros_like(inside)
    if k > count:
        safe = top_k_mask(importance.masked_fill(~inside, -torch.inf), k - count) > 0
    return safe, top_k_mask(growth.masked_fill(inside, -torch.inf), count) > 0
