"""Success rates over evaluations, tasks and seeds: pure functions on arrays.

Axes: R runs (seeds) of one group, E evaluations, K tasks. NaN stands for what does not exist, such as the spread of a
single seed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Spread(NamedTuple):
    """Mean and sample standard deviation over the R runs, each of the shape of one run's value."""

    mean: FloatArray
    std: FloatArray


def final_success(success: FloatArray, evaluations: int) -> FloatArray:
    """Return the success of each run and task at the end of training.

    Args:
        success: (R, E, K) success rates.
        evaluations: How many of the last evaluations are averaged, 1 to E.

    Returns:
        (R, K).
    """
    runs, count, tasks = success.shape
    if runs == 0:
        return np.zeros((0, tasks))
    if not 1 <= evaluations <= count:
        raise ValueError(f"evaluations is {evaluations}, outside 1 to {count}")
    return np.asarray(success[:, -evaluations:, :].mean(axis=1))


def best_success(success: FloatArray) -> FloatArray:
    """Return the success of each run and task at the evaluation whose mean over tasks was the run's highest.

    It is an optimistic figure (the maximum of a noisy series), so it is never mixed with `final_success`. Of several
    evaluations with the same mean the first counts.

    Args:
        success: (R, E, K) success rates.

    Returns:
        (R, K).
    """
    runs, _, tasks = success.shape
    if runs == 0:
        return np.zeros((0, tasks))
    return np.asarray(success[np.arange(runs), success.mean(axis=2).argmax(axis=1)])


def over_runs(values: FloatArray) -> Spread:
    """Return mean and sample standard deviation (n - 1) over the runs.

    Args:
        values: (R, ...) one value of each run.

    Returns:
        Two arrays of shape (...): the mean is NaN without any run, the standard deviation with fewer than two.
    """
    runs, nothing = values.shape[0], np.full(values.shape[1:], np.nan)
    return Spread(
        mean=values.mean(axis=0) if runs > 0 else nothing,
        std=values.std(axis=0, ddof=1) if runs > 1 else nothing,
    )


def window_means(values: FloatArray, window: int) -> FloatArray:
    """Average the last axis over windows of several values in a row, counted from the end.

    Args:
        values: (..., E) values.
        window: Values in a window; those at the start that do not fill one are left out.

    Returns:
        (..., E // window).
    """
    count = values.shape[-1] // window
    kept = values[..., values.shape[-1] - count * window :]
    return np.asarray(kept.reshape(*values.shape[:-1], count, window).mean(axis=-1))


def independent_overlap(pruning_ratio: float) -> float:
    """Return the overlap |A and B| / |A or B| that two random masks of the same density have on average.

    With density d = 1 - pruning ratio, the masks share d * d of the elements and cover 2 d - d * d of them.
    """
    density = 1.0 - pruning_ratio
    return density / (2.0 - density)
