"""FAMO against a plain implementation in numpy: weights from the logits, and Adam on the logits by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from must.algorithms import make_agent
from must.algorithms.losses import mean_loss
from tests.support.agents import CPU
from tests.support.helpers import random_batch, small_config
from tests.support.methods import settings

LR, DECAY = 0.02, 0.05


class Plain:
    """Logits, and what the paper does with them."""

    def __init__(self, n_tasks: int) -> None:
        self.logits, self.first, self.second, self.steps = np.zeros(n_tasks), np.zeros(n_tasks), np.zeros(n_tasks), 0

    def shares(self) -> np.ndarray:
        powers = np.exp(self.logits - self.logits.max())
        return powers / powers.sum()

    def weights(self, losses: np.ndarray) -> np.ndarray:
        """Weights that sum to the number of tasks."""
        scaled = self.shares() / (losses + 1e-8)
        return len(losses) * scaled / scaled.sum()

    def follow(self, before: np.ndarray, after: np.ndarray) -> None:
        fall, shares = np.log(before + 1e-8) - np.log(after + 1e-8), self.shares()
        jacobian = np.diag(shares) - np.outer(shares, shares)
        gradient = jacobian @ fall + DECAY * self.logits
        self.steps += 1
        self.first = 0.9 * self.first + 0.1 * gradient
        self.second = 0.999 * self.second + 0.001 * gradient**2
        first, second = self.first / (1 - 0.9**self.steps), self.second / (1 - 0.999**self.steps)
        self.logits = self.logits - LR * first / (np.sqrt(second) + 1e-8)


def make(n_tasks: int = 4):
    return make_agent(small_config(**settings("famo", n_tasks, famo={"lr": LR, "decay": DECAY})), CPU)


def of_critic(losses: np.ndarray) -> torch.Tensor:
    """Losses (2, K, B) of two Q networks that add up to a task's."""
    shares = torch.tensor([0.25, 0.75], dtype=torch.float64)[:, None, None]
    spread = torch.tensor([0.5, 1.5], dtype=torch.float64)
    return (shares * torch.from_numpy(losses)[None, :, None] * spread).float()


def test_weights_and_logits_are_those_of_a_plain_implementation():
    weighting, plain, rng = make().weighting, Plain(4), np.random.default_rng(0)
    for _ in range(20):
        before = rng.lognormal(sigma=2, size=4)
        after = before * rng.lognormal(mean=-0.1, sigma=0.3, size=4)
        weights = weighting.weights(torch.zeros(4, 2), of_critic(before))
        assert weights.policy is None
        np.testing.assert_allclose(weights.critic.numpy(), plain.weights(before), rtol=1e-4)
        weighting.after_step(lambda after=after: of_critic(after))
        plain.follow(before, after)
    shares = list(weighting.end_learning(1).values())
    np.testing.assert_allclose(shares, 4 * plain.shares(), rtol=1e-4)
    assert np.ptp(shares) > 0.1


def test_the_gradient_is_that_of_the_weighted_logarithms():
    weighting = make().weighting
    with torch.no_grad():
        weighting._logits.copy_(torch.tensor([0.3, -1.0, 0.0, 0.7]))
    values = torch.rand(2, 4, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    losses = values.mean(2).sum(0)
    shares = weighting._logits.detach().softmax(0)
    scale = (shares / losses.detach()).sum()
    (expected,) = torch.autograd.grad((shares * losses.log()).sum() / scale, values)
    weights = weighting.weights(torch.zeros(4, 8), values.detach())
    (found,) = torch.autograd.grad(mean_loss(values, weights.critic).sum(), values)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-7)


def test_a_step_moves_the_logits_by_the_same_batchs_losses_before_and_after():
    agent, plain, found = make(3), Plain(3), {}
    weighting = agent.weighting
    weights, after_step = weighting.weights, weighting.after_step

    def record_before(of_policy, of_critic):
        found["before"] = of_critic.mean(2).sum(0).double().numpy()
        return weights(of_policy, of_critic)

    def record_after(critic_losses):
        found["after"] = critic_losses().mean(2).sum(0).double().numpy()
        after_step(critic_losses)

    weighting.weights, weighting.after_step = record_before, record_after
    for step in range(3):
        agent.gradient_step(random_batch(3, 8, seed=step))
        assert not np.array_equal(found["before"], found["after"])
        plain.follow(**found)
    np.testing.assert_allclose(weighting._logits.detach().numpy(), plain.logits, rtol=0.02, atol=1e-4)


def test_one_task_counts_as_it_does_alone():
    weighting = make(1).weighting
    assert weighting.weights(torch.zeros(1, 2), of_critic(np.array([3.0]))).critic.tolist() == pytest.approx([1])
    weighting.after_step(lambda: of_critic(np.array([2.0])))
    assert weighting._logits.tolist() == [0]
