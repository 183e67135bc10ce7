"""Layer normalisation (arXiv 1607.06450) without a learned scale or shift: mean 0 and variance 1 over a layer's units.

`layer_norm` is differentiated by torch. The other functions are the forward and backward passes of networks whose
gradient is written out, over all units of a layer, or over those that a mask keeps: while masks are learned on the
whole network, a task's units are normalised as they are in the sub-network that is cut out of it.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from must.types import LAYER_NORM_EPSILON


def layer_norm(values: Tensor) -> Tensor:
    """Normalise (..., H) over the last axis, differentiably."""
    return functional.layer_norm(values, values.shape[-1:], eps=LAYER_NORM_EPSILON)


def normalise(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise (..., H) over the last axis.

    Returns:
        The normalised values (..., H), the means (..., 1), and 1 / standard deviation (..., 1).
    """
    normalised, mean, scale = torch.native_layer_norm(values, values.shape[-1:], None, None, LAYER_NORM_EPSILON)
    return normalised, mean, scale


def normalise_backward(grad_output: Tensor, values: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Compute the gradient of the values (..., H) that `normalise` was given, from that of what it gave."""
    of_values: Tensor = torch.ops.aten.native_layer_norm_backward(
        grad_output.contiguous(),
        values,
        values.shape[-1:],
        mean.contiguous(),
        scale.contiguous(),
        None,
        None,
        [True, False, False],
    )[0]
    return of_values


def normalise_kept(values: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Normalise (..., H) with mean and variance over the kept units.

    Args:
        values: (..., H)
        shares: What each unit counts in mean and variance, with sum 1 over the last axis; it can be expanded to
            ``values``.

    Returns:
        The normalised values (..., H), of units that are not kept as well, and 1 / standard deviation (..., 1).
    """
    centred = values - (values * shares).sum(-1, keepdim=True)
    variance = (centred.square() * shares).sum(-1, keepdim=True)
    scale = variance.add_(LAYER_NORM_EPSILON).rsqrt_()
    return centred.mul_(scale), scale


def normalise_kept_backward(grad_output: Tensor, normalised: Tensor, scale: Tensor, shares: Tensor) -> Tensor:
    """Compute the gradient of the values (..., H) that `normalise_kept` was given, from that of what it gave.

    The shares are taken as constants.
    """
    of_mean = grad_output.sum(-1, keepdim=True)
    of_variance = (grad_output * normalised).sum(-1, keepdim=True)
    through_statistics = (normalised * of_variance).add_(of_mean).mul_(shares)
    return through_statistics.neg_().add_(grad_output).mul_(scale)
