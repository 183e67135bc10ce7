"""What Meta-World's reward functions call most, for numbers instead of arrays: the same results to the last bit."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
from metaworld.utils import reward_utils


def tolerance(
    x: Any,
    bounds: tuple[float, float] = (0.0, 0.0),
    margin: float = 0.0,
    sigmoid: str = "gaussian",
    value_at_margin: float = reward_utils._DEFAULT_VALUE_AT_MARGIN,
) -> Any:
    """Return 1 where x is within the bounds, and the less the farther it is from them; see `metaworld`'s function.

    All calls but those with a number and the sigmoid of nearly all tasks are Meta-World's own, mistakes included.
    """
    lower, upper = bounds
    if sigmoid != "long_tail" or not isinstance(x, float) or lower > upper or margin < 0 or not 0 < value_at_margin < 1:
        return reward_utils.tolerance(x, bounds, margin, sigmoid, value_at_margin)
    if lower <= x <= upper:
        return 1.0
    if margin == 0:
        return 0.0
    distance = float((lower - x if x < lower else x - upper) / margin)
    try:
        return 1 / ((distance * math.sqrt(1 / value_at_margin - 1)) ** 2 + 1)
    except OverflowError:
        return 0.0


def norm(x: Any, *arguments: Any, **options: Any) -> Any:
    """Return the length of a vector or of a number; see `numpy.linalg.norm`, which does all else."""
    if isinstance(x, float) and not arguments and not options:
        return np.float64(math.sqrt(x * x))
    if arguments or options or type(x) is not np.ndarray or x.dtype != np.float64 or x.ndim != 1:
        return np.linalg.norm(x, *arguments, **options)
    if not x.flags.c_contiguous:
        x = x.copy()
    return np.float64(math.sqrt(x.dot(x)))


REWARD_UTILS = SimpleNamespace(**{**vars(reward_utils), "tolerance": tolerance})
"""Stands for the module `metaworld.utils.reward_utils`."""
NUMPY = SimpleNamespace(**{**vars(np), "linalg": SimpleNamespace(**{**vars(np.linalg), "norm": norm})})
"""Stands for the module `numpy`."""
