"""Matrix products of batches of matrices, by the kernel that is fast for their shape.

On a CPU torch hands all of them to MKL. That is slow for products with few columns, and on processors that are not
Intel's it is slow for large ones as well; the same build of torch has kernels of oneDNN, which are not.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

NARROW = 16
"""Columns below which a product is better turned round."""
LARGE = 5_000_000
"""Multiplications from which on a call of oneDNN, which costs more than one of MKL, is worth it."""


def affine(inputs: Tensor, weights: Tensor, biases: Tensor | None, relu: bool = False) -> Tensor:
    """Return inputs @ weights + biases, all negative elements of it set to 0 if ``relu``.

    Args:
        inputs: (N, R, D)
        weights: (N, D, H)
        biases: (N, 1, H) or None.
        relu: Whether to apply it.

    Returns:
        (N, R, H)
    """
    if _suits_onednn(inputs, weights):
        bias = None if biases is None else biases[0, 0]
        return _onednn(inputs[0], weights[0].T, bias, "relu" if relu else "none").unsqueeze(0)
    if weights.shape[2] < NARROW and inputs.device.type == "cpu":
        outputs = torch.bmm(weights.mT, inputs.mT).mT.contiguous()
        outputs = outputs if biases is None else outputs.add_(biases)
    else:
        outputs = torch.bmm(inputs, weights) if biases is None else torch.baddbmm(biases, inputs, weights)
    return outputs.relu_() if relu else outputs


def input_gradient(grad_output: Tensor, weights: Tensor) -> Tensor:
    """Return the gradient of the inputs of `affine`, grad_output @ weights.mT.

    Args:
        grad_output: (N, R, H), the gradient of the outputs.
        weights: (N, D, H)

    Returns:
        (N, R, D)
    """
    if weights.shape[2] == 1:
        return grad_output * weights.mT
    if _suits_onednn(grad_output, weights.mT):
        return _onednn(grad_output[0], weights[0], None, "none").unsqueeze(0)
    return torch.bmm(grad_output, weights.mT)


def weight_gradient(inputs: Tensor, grad_output: Tensor, out: Tensor) -> None:
    """Write the gradient of the weights of `affine`, inputs.mT @ grad_output.

    Args:
        inputs: (N, R, D)
        grad_output: (N, R, H), the gradient of the outputs.
        out: (N, D, H), where to.
    """
    if grad_output.shape[2] < NARROW:
        out.copy_(torch.bmm(grad_output.mT, inputs).mT)
    else:
        torch.bmm(inputs.mT, grad_output, out=out)


def linear(inputs: Tensor, weight: Tensor) -> Tensor:
    """Return inputs @ weight.T of (R, D) and (H, D), differentiably, for very large H: (R, H)."""
    outputs: Tensor = _Linear.apply(inputs, weight)
    return outputs


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        return _product(inputs, weight.T)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, Tensor | None]:
        inputs, weight = ctx.saved_tensors
        grad_inputs, grad_weight = ctx.needs_input_grad
        return (
            _product(grad_output, weight) if grad_inputs else None,
            _product(grad_output.T, inputs) if grad_weight else None,
        )


def _product(first: Tensor, second: Tensor) -> Tensor:
    """Return (R, D) @ (D, H)."""
    return affine(first.unsqueeze(0), second.unsqueeze(0), None).squeeze(0)


def _suits_onednn(inputs: Tensor, weights: Tensor) -> bool:
    n_products, n_rows, n_features = inputs.shape
    return (
        n_products == 1
        and n_rows * n_features * weights.shape[2] >= LARGE
        and inputs.device.type == "cpu"
        and inputs.dtype == torch.float32
        and torch.backends.mkldnn.is_available()
    )


def _onednn(inputs: Tensor, weight: Tensor, bias: Tensor | None, activation: str) -> Tensor:
    """Return activation(inputs @ weight.T + bias) of (R, D), (H, D) and (H,)."""
    outputs: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, activation, [], "")
    return outputs
