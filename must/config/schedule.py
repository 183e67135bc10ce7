"""When masks are renewed, and by how much: pure functions of a configuration's numbers."""

from __future__ import annotations

import math


def last_renewal(epochs: int, freeze_after: float) -> int:
    """Return the training epoch, from 1, of the last renewal; masks stay as they are from then on.

    It is never the last epoch, so that the masks that are judged were trained.

    Args:
        epochs: Training epochs of the run.
        freeze_after: Share of them after which masks are frozen.
    """
    return min(math.floor(freeze_after * epochs + 1e-9), epochs - 1)


def renews(number: int, epochs: int, interval: int, freeze_after: float) -> bool:
    """Return whether masks are renewed in training epoch ``number``, from 1.

    Renewals are counted backwards from the last one: whatever the interval is, runs of the same length are judged
    equally long after it. The first one is not before networks were trained for a whole interval.
    """
    last = last_renewal(epochs, freeze_after)
    return interval <= number <= last and (last - number) % interval == 0


def first_renewal(epochs: int, interval: int, freeze_after: float) -> int | None:
    """Return the training epoch of the first renewal; None where there is none."""
    last = last_renewal(epochs, freeze_after)
    return interval + (last - interval) % interval if last >= interval else None


def swaps_allowed(kept: int, number: int, epochs: int, freeze_after: float, max_churn: float | None) -> int:
    """Return how many of a layer's kept elements the renewal of training epoch ``number`` may swap for others.

    The bound starts at ``max_churn`` of them and falls along a cosine to 0 at the freeze (RigL, arXiv 1911.11134),
    rounded down, but to no less than one element: a renewal that can change nothing would be none.

    Args:
        kept: Elements that a task keeps of the layer.
        number: Training epoch, from 1.
        epochs: Training epochs of the run.
        freeze_after: Share of them after which masks are frozen.
        max_churn: Share of the kept elements, or None for no bound.
    """
    if max_churn is None:
        return kept
    last = last_renewal(epochs, freeze_after)
    share = max_churn * 0.5 * (1 + math.cos(math.pi * min(number / max(last, 1), 1)))
    return max(1, math.floor(share * kept + 1e-9))
