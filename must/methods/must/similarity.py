"""The supervised loss: tasks whose trajectories are alike should have masks that are alike."""

from __future__ import annotations

import torch
from torch import Tensor


def distances(rows: Tensor) -> Tensor:
    """Return the mean squared difference of each pair of rows: (K, n) -> (K, K).

    It is divided by n: without that, masks of a whole network are hundreds apart, exp(-distance) is exactly 0 in
    float32, and the loss has no gradient. Between masks of zeros and ones it is the share of elements that differ.
    """
    squares = rows.square().sum(-1)
    return ((squares[:, None] + squares[None, :] - 2 * (rows @ rows.T)) / rows.shape[-1]).clamp_min(0)


def similarity(rows: Tensor) -> Tensor:
    """Return exp(-distance) of each pair of tasks, min-max normalised over the pairs: (K, n) -> (K (K - 1),).

    A task's similarity with itself is left out. Where all pairs are alike (with two tasks there is one pair) there is
    nothing to normalise: all are 0.
    """
    n = len(rows)
    values = torch.expm1(-distances(rows))  # exact for rows that are very near
    values = values.flatten()[1:].view(n - 1, n + 1)[:, :-1].flatten()  # all but the diagonal, row by row
    low, high = values.min(), values.max()
    return (values - low) / torch.where(high > low, high - low, 1)


def similarity_loss(masks: Tensor, encodings: Tensor) -> Tensor:
    """Return the mean squared difference between the similarities of masks and those of trajectories.

    Args:
        masks: (K, n), all maskable elements of a network in a row, with straight-through gradient.
        encodings: (K, D) trajectory encodings; they get no gradient.

    Returns:
        A scalar.
    """
    with torch.no_grad():
        target = similarity(encodings.double()).to(masks.dtype)  # encodings of like episodes are very near each other
    return (similarity(masks) - target).square().mean()
