"""Dense networks that cost as much as sparse ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from must.config import RunConfig
from must.masks import MaskLayout
from must.networks import HiddenLayers, MaskedMLP
from must.types import ACTION_DIM, OBS_DIM


def small(config: RunConfig, n_members: int, in_dim: int, out_dim: int, hidden: HiddenLayers) -> MaskedMLP:
    """Draw E networks, whose policy takes as many multiplications for an action as a task's sparse one would.

    See `must.algorithms.Architecture`.
    """
    return MaskedMLP(n_members, in_dim, len(config.env.task_names), equal_cost_sizes(config), out_dim, hidden)


def equal_cost_sizes(config: RunConfig) -> list[int]:
    """Choose the hidden sizes of a dense policy that costs as much as the sparse one of ``config.masks``.

    Under neuron masks a task's network is a smaller dense one, and these are its sizes. Under weight masks, all sizes
    are scaled by the factor that comes nearest to the number of weights that a task keeps: each is a multiplication.
    """
    masks, sizes, in_dim = config.masks, config.network.hidden_sizes, OBS_DIM + len(config.env.task_names)
    layout = MaskLayout(masks.granularity, OBS_DIM, 2 * ACTION_DIM, _shapes(in_dim, sizes), mask_biases=False)
    if masks.granularity == "neuron":
        return layout.kept(masks.pruning_ratio)
    aim, _ = layout.kept_parameters(masks.pruning_ratio)

    def distance(candidate: Sequence[int]) -> int:
        return abs(sum(math.prod(shape) for shape in _shapes(in_dim, candidate)) - aim)

    half = Fraction(1, 2)
    factors = {(units + half) / size for size in set(sizes) for units in range(size)}  # where a rounded size changes
    candidates = ([max(1, math.floor(factor * size + half)) for size in sizes] for factor in sorted(factors))
    return min(candidates, key=distance)


def _shapes(in_dim: int, sizes: Sequence[int]) -> tuple[tuple[int, int], ...]:
    return tuple(pairwise((in_dim, *sizes, 2 * ACTION_DIM)))
