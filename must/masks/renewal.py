"""Which elements a renewal of the masks swaps: a bounded number, chosen by scores."""

from __future__ import annotations

import torch
from torch import Tensor

from must.masks.topk import top_k_mask


def bounded_mask(scores: Tensor, published: Tensor, k: int, most: int) -> Tensor:
    """Return the mask of highest scores among those that differ from a published one by few swaps.

    A swap takes in the element with the highest score that is not kept, for the kept one with the lowest score, as long
    as the first has the higher one: of all masks within the bound this has the highest sum of scores.

    Args:
        scores: (..., n)
        published: (..., n) of zeros and ones, k ones in each row.
        k: Elements to keep.
        most: How many elements may be swapped in each row.

    Returns:
        (..., n) of zeros and ones, k ones in each row.
    """
    n = scores.shape[-1]
    if most >= min(k, n - k):
        return top_k_mask(scores, k)
    if most == 0:
        return published.to(scores.dtype)
    inside = published > 0
    safe, candidates = _safe_and_candidates(scores, scores, inside, k, most)
    ranked = scores.masked_fill(~(inside | candidates), -torch.inf).masked_fill(safe, torch.inf)
    return top_k_mask(ranked, k)


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
