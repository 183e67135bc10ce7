"""PaCo judges a task's loss whatever the scale of the rewards."""

from __future__ import annotations

import pytest
import torch

from must.algorithms import make_agent
from must.methods.paco.network import CompositionalMLP
from tests.support.agents import CPU
from tests.support.helpers import random_batch, small_config
from tests.support.methods import settings

RAISED = torch.tensor([[1.0], [30.0], [1000.0]])
"""Factors on the rewards of the tasks."""


def scale_outputs(network: CompositionalMLP, factor: float) -> None:
    """Multiply a network's outputs (of hidden layers of 12 and 9 units, one output) by a factor."""
    with torch.no_grad():
        network.sets[..., 43 * 12 + 12 * 9 :][..., :9] *= factor
        network.sets[..., -1] *= factor


def restarted(reward_scale: float, threshold: float) -> list[bool]:
    """Take a step on the same transitions, with Q values as large as the scaled rewards; return which tasks restart.

    The temperatures are negligible: their part of a loss does not grow with the rewards.
    """
    sections = {"env": {"reward_scale": reward_scale}, "sac": {"initial_temperature": 1e-9}}
    agent = make_agent(small_config(**settings("paco", **sections, paco={"loss_threshold": threshold})), CPU)
    for network in (agent.critic, agent.target_critic):
        scale_outputs(network, reward_scale)
    batch = random_batch(3, 8)
    agent.gradient_step(batch._replace(rewards=RAISED * batch.rewards))
    return agent.weighting._exploded.tolist()


@pytest.mark.parametrize("reward_scale", [0.01, 0.1, 10.0, 300.0])
@pytest.mark.parametrize(
    ("threshold", "expected"), [(0.01, [True, True, True]), (20, [False, True, True]), (3e3, [False, False, True])]
)
def test_the_same_transitions_restart_the_same_tasks_at_any_scale_of_the_rewards(threshold, expected, reward_scale):
    assert restarted(1.0, threshold) == expected
    assert restarted(reward_scale, threshold) == expected


def test_the_policys_loss_counts_as_the_rewards_and_the_q_networks_as_their_squares():
    sections = {"env": {"reward_scale": 0.1}, "paco": {"loss_threshold": 100}}
    agent = make_agent(small_config(**settings("paco", **sections)), CPU)
    of_policy = torch.tensor([9.0, 11.0, 0.0, 0.0, 5.0])[:, None].expand(-1, 4)
    of_critic = torch.tensor([0.0, 0.0, 0.45, 0.55, 0.3])[None, :, None].expand(2, -1, 4)
    agent.weighting._exploded = torch.zeros(5, dtype=torch.bool)
    weights = agent.weighting.weights(of_policy, of_critic)
    assert weights.policy is weights.critic
    assert weights.policy.tolist() == [1, 0, 1, 0, 0]
