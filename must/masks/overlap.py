"""How much masks have in common: between tasks, and with the masks before."""

from __future__ import annotations

import torch
from torch import Tensor


def task_overlap(kept: Tensor) -> Tensor:
    """Return the overlap |A and B| / |A or B| of each pair of tasks: (K, n) boolean -> (K, K)."""
    rows = kept.double()
    both = rows @ rows.T
    sizes = rows.sum(1)
    return both / (sizes[:, None] + sizes[None, :] - both)


def mean_overlap(kept: dict[str, Tensor]) -> float | None:
    """Return the mean overlap over networks and pairs of tasks; None where there is no mask or only one task."""
    if not kept or len(next(iter(kept.values()))) < 2:
        return None
    means = [task_overlap(rows)[off_diagonal(len(rows), rows.device)].mean() for rows in kept.values()]
    return float(torch.stack(means).mean())


def churn(before: dict[str, Tensor], after: dict[str, Tensor]) -> float | None:
    """Return the share of the kept elements that were not kept before, over networks and tasks; None without masks."""
    if not before or not after:
        return None
    shares = [(after[name] & ~before[name]).sum() / after[name].sum() for name in after]
    return float(torch.stack(shares).mean())


def off_diagonal(n: int, device: torch.device) -> Tensor:
    """Return the mask (n, n) of all entries that are not on the diagonal."""
    return ~torch.eye(n, dtype=torch.bool, device=device)
