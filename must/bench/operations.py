"""Counting the arithmetic of a gradient step: what could not be saved by doing it better."""

from __future__ import annotations

from itertools import pairwise

from must.config import RunConfig
from must.masks.topk import kept
from must.types import ACTION_DIM, OBS_DIM


def gradient_step_gflop(config: RunConfig) -> float | None:
    """Count the matrix products of an ordinary gradient step, in 10^9 multiplications and additions.

    Masked weights are multiplied like others; units that a task does not keep are not there. Only multi-layer
    perceptrons with a one-hot input are counted; for other methods' networks the result is None.
    """
    if not all(part.plain_products for part in config.trained.parts):
        return None
    widths = list(config.network.hidden_sizes)
    if config.masks.granularity == "neuron" and not config.dense:
        widths = [kept(width, config.masks.pruning_ratio) for width in widths]
    rows = len(config.env.task_names) * config.sac.batch_size_per_task
    policy = _layers(OBS_DIM, widths, 2 * ACTION_DIM)
    critic = _layers(OBS_DIM + ACTION_DIM, widths, 1)
    # Policy: forward at both observations, backward at the first. Q networks: forward at both actions; backward to the
    # weights at the stored ones, to the hidden layers at both (but through the one column of the output that is no
    # product), to the inputs at the policy's. Targets: forward.
    of_policy = 2 * sum(policy) + sum(policy) + sum(policy[1:])
    of_critic = 2 * (2 * sum(critic) + sum(critic) + 2 * sum(critic[1:-1]) + critic[0])
    of_targets = 2 * sum(critic)
    return 2 * rows * (of_policy + of_critic + of_targets) / 1e9


def _layers(in_dim: int, hidden: list[int], out_dim: int) -> list[int]:
    return [first * second for first, second in pairwise((in_dim, *hidden, out_dim))]
