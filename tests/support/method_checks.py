"""What a network of a method must hold against a plain implementation of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from must.algorithms import Agent
from must.networks import BaseNetwork
from tests.support.helpers import relative_error

Reference = Callable[[torch.Tensor], torch.Tensor]
"""Returns the outputs (E, K, B, D_out) of inputs (K, B, D_in), with autograd over everything."""
EXACT = 1e-12
"""Relative error in double precision."""
NORMS = pytest.mark.parametrize("norm", [False, True], ids=["plain", "layer norm"])


def normalised(values: torch.Tensor) -> torch.Tensor:
    """Return (..., H) with mean 0 and variance 1 over the last axis."""
    variance, mean = torch.var_mean(values, -1, correction=0, keepdim=True)
    return (values - mean) / (variance + 1e-5).sqrt()


def random_tensor(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def assert_matches(
    network: BaseNetwork, reference: Reference, inputs_shape: tuple[int, int, int], exact: float = EXACT
) -> None:
    """Compare outputs, and the gradients of parameters and inputs, at inputs (K, B, D_in) in double precision."""
    inputs = random_tensor(*inputs_shape, seed=1).requires_grad_()
    outputs, expected = network.task_parameters(None).forward(inputs), reference(inputs)
    assert outputs.shape == expected.shape
    assert relative_error(outputs, expected) < exact
    direction, receivers = random_tensor(*outputs.shape, seed=2), [network.flat, inputs]
    ours = torch.autograd.grad((outputs * direction).sum(), receivers)
    theirs = torch.autograd.grad((expected * direction).sum(), receivers)
    for gradient, wanted in zip(ours, theirs, strict=True):
        assert relative_error(gradient, wanted) < exact


def assert_batches_have_gradients_of_their_own(
    network: BaseNetwork, reference: Reference, inputs_shape: tuple[int, int, int], exact: float = EXACT
) -> None:
    """Check that the first batch has gradients of the parameters alone, the second of its inputs alone."""
    first, second = (random_tensor(*inputs_shape, seed=seed).requires_grad_() for seed in (1, 2))
    expected = [reference(inputs) for inputs in (first, second)]
    direction = random_tensor(2, *expected[0].shape, seed=3)
    (of_first,) = torch.autograd.grad((expected[0] * direction[0]).sum(), network.flat)
    (of_second,) = torch.autograd.grad((expected[1] * direction[1]).sum(), second)
    outputs = network.task_parameters(None).forward_pair(first, second)
    for output, wanted in zip(outputs, expected, strict=True):
        assert relative_error(output, wanted) < exact
    loss = sum((output * weights).sum() for output, weights in zip(outputs, direction, strict=True))
    gradients = torch.autograd.grad(loss, [network.flat, second, first], allow_unused=True)
    assert gradients[2] is None
    assert relative_error(gradients[0], of_first) < exact
    assert relative_error(gradients[1], of_second) < exact

    plain = second.detach()  # asks for no gradient: it is evaluated all the same, and teaches nothing
    outputs = network.task_parameters(None).forward_pair(first, plain)
    assert relative_error(outputs[1], expected[1]) < exact
    (gradient,) = torch.autograd.grad((outputs[0] * direction[0]).sum(), network.flat)
    assert relative_error(gradient, of_first) < exact


def assert_acts_in_numpy_as_in_torch(agent: Agent) -> None:
    """Compare a policy in numpy with the one in torch, and a task's action in any company, to the last bit."""
    with torch.no_grad():
        agent.policy.flat += 0.1 * torch.randn(agent.policy.flat.shape, generator=torch.Generator().manual_seed(0))
    acting, rng, n_tasks = agent.numpy_policy(), np.random.default_rng(0), agent.n_tasks
    observations, noise = rng.normal(size=(n_tasks, 39)).astype("f"), rng.normal(size=(n_tasks, 4)).astype("f")
    outputs = agent.policy.task_parameters(None).forward(torch.from_numpy(observations)[:, None])[0, :, 0]
    together = acting.act(observations, None)
    assert together.dtype == np.float32
    assert np.allclose(together, outputs[:, :4].tanh().detach().numpy(), atol=1e-6)
    together = acting.act(observations, noise)
    for tasks in ([0], [n_tasks - 1], list(range(1, n_tasks)), [*range(0, n_tasks, 3)]):
        if tasks:
            apart = acting.for_tasks(tasks).act(observations[tasks], noise[tasks])
            assert np.array_equal(apart, together[tasks])
