"""The policy's distribution: a Gaussian squashed by tanh."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from must.types import LOG_STD_MAX, LOG_STD_MIN


def sample(outputs: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Draw actions, differentiably.

    Args:
        outputs: (..., 8), the policy's means and unclamped log standard deviations.
        noise: (..., 4) of standard normal numbers.

    Returns:
        Actions (..., 4) in [-1, 1] and their log probabilities (...) in nats (arXiv 1812.05905, appendix C).
    """
    mean, log_std = outputs.chunk(2, dim=-1)
    log_std = log_std.clamp(LOG_STD_MIN, LOG_STD_MAX)
    raw = mean + log_std.exp() * noise
    gaussian = -0.5 * noise.square() - log_std - 0.5 * math.log(2 * math.pi)
    # log(1 - tanh(raw)^2), in a form that does not underflow for large actions
    squash = 2 * (math.log(2) - raw - softplus(-2 * raw))
    return torch.tanh(raw), (gaussian - squash).sum(-1)
