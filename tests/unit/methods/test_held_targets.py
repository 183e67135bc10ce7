"""Targets across a renewal of the masks: values are kept, and generators cannot lower errors by lowering values."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from must.algorithms import Agent, make_agent
from must.buffers import Batch
from tests.support.agents import CPU
from tests.support.helpers import merged, random_batch, random_trajectories, small_config

STEPS = 60
LARGE = {
    "network": {"hidden_sizes": [40, 30]},
    "training": {"epochs": 100, "opt_times": STEPS},
    "sac": {"lr": 3e-3, "gamma": 0.9, "tau": 0.05, "initial_temperature": 1e-6},
}
KINDS = {
    "units": {},
    "weights": {"masks": {"granularity": "weight"}},
    "at once": {"masks": {"fade": False}},
    "saliency": {"masks": {"rule": "saliency"}},
}


def batch(seed: int) -> Batch:
    """Return transitions that all bring a reward of 1, so that every state is worth 1 / (1 - gamma)."""
    drawn = random_batch(3, 32, seed=seed)
    return drawn._replace(rewards=torch.ones_like(drawn.rewards))


def inputs() -> Tensor:
    """Return observations and actions (3, 32, D) that are not trained on."""
    given = batch(999)
    return torch.cat((given.observations, given.actions), -1)


def trained(kind: str, **sections) -> Agent:
    agent = make_agent(small_config(**merged(merged(LARGE, KINDS[kind]), sections)), CPU)
    agent.masks.publish_initial(random_trajectories(3))
    for step in range(400):
        agent.gradient_step(batch(step))
    return agent


@torch.no_grad()
def values(agent: Agent) -> Tensor:
    """Return the mean Q value (3,) of each task under the published masks."""
    return agent.critic.task_parameters(agent.mask_set.critic).forward(inputs())[0].squeeze(-1).mean(1)


def renew_for_the_worst(agent: Agent) -> None:
    """Publish masks in which a fifth of each layer of the Q networks was swapped: what carries most of the values."""
    agent.masks.begin_mask_update(random_trajectories(3, seed=5), 1)
    agent.gradient_step(batch(0), learn_masks=True)
    published, kept = agent.masks.published_rows(), values(agent)

    def worst(rows: Tensor, number: int, layer: int) -> Tensor:
        swapped = rows.clone()
        for task in range(3):
            inside, outside = rows[task].nonzero().ravel(), (rows[task] == 0).nonzero().ravel()
            lost = []
            for element in inside[:200]:
                trial = [[mask.clone() for mask in member] for member in published[1:]]
                trial[number][layer][task, element] = 0
                function = agent.critic.task_parameters(agent.masks.layouts[1].assemble(trial))
                q = function.forward(inputs())[number, task].mean()
                lost.append(float(kept[task] - q))
            count = len(lost) // 5
            swapped[task, inside[torch.tensor(lost).argsort(descending=True)[:count]]] = 0
            swapped[task, outside[:count]] = 1
        return swapped

    with torch.no_grad():
        new = [published[0]] + [
            [worst(rows, number, layer) for layer, rows in enumerate(member)]
            for number, member in enumerate(published[1:])
        ]
    rule = agent.masks._rule
    finish = type(rule).finish_update
    rule.finish_update = lambda: (new, finish(rule)[1])
    agent.masks.end_mask_update()
    del rule.finish_update


@pytest.mark.parametrize("kind", ["units", "at once"])
def test_values_survive_a_renewal_that_takes_away_what_carries_them(kind):
    """The networks adapt to the new masks in the epoch's steps, because the targets still tell the values."""
    lost = {}
    for hold in (True, False):
        agent = trained(kind, masks={"hold_targets": hold})
        before = values(agent)
        renew_for_the_worst(agent)
        assert (values(agent) < 0.8 * before).all()  # at once, and without any step, they would be lost
        for step in range(STEPS):
            agent.gradient_step(batch(step))
        assert not agent.masks.fading
        lost[hold] = float((1 - values(agent) / before).mean())
    assert abs(lost[True]) < 0.1
    assert lost[False] > 2 * abs(lost[True])


@pytest.mark.parametrize("kind", KINDS)
def test_targets_wait_for_a_renewal_and_then_follow_at_once(kind):
    agent = trained(kind)
    masks, before = agent.mask_set.critic, agent.target_critic.flat.detach().clone()
    agent.masks.begin_mask_update(random_trajectories(3, seed=5), 1)
    for step in range(3):
        agent.gradient_step(batch(step), learn_masks=True)
    agent.masks.end_mask_update()
    with torch.no_grad():
        given = inputs()
        expected = agent.target_critic.task_parameters(masks).forward(given)
    for step in range(STEPS):
        assert torch.equal(agent.target_critic.flat, before)
        agent.gradient_step(batch(step))
        if (fading := agent.masks._fading) is not None:
            assert torch.equal(agent.masks.functions(False).target_critic.forward(given), expected)
            agent.masks._fading = fading  # looking is no step
    assert torch.equal(agent.target_critic.flat, agent.critic.flat)
    agent.gradient_step(batch(0))
    assert not torch.equal(agent.target_critic.flat, agent.critic.flat)


@pytest.mark.parametrize("hold", [True, False])
def test_generators_are_judged_by_the_targets_of_the_published_masks(hold):
    agent = trained("units", masks={"hold_targets": hold})
    given = inputs()
    with torch.no_grad():
        published = agent.target_critic.task_parameters(agent.mask_set.critic).forward(given)
    agent.masks.begin_mask_update(random_trajectories(3, seed=5), 1)
    drawn = [agent.masks.functions(True).target_critic.forward(given) for _ in range(3)]
    assert all(torch.equal(q, published) == hold for q in drawn)


def test_masks_of_the_actor_leave_the_targets_alone():
    agent = make_agent(small_config(**merged(LARGE, {"masks": {"networks": "actor"}})), CPU)
    agent.masks.publish_initial(random_trajectories(3))
    agent.masks.begin_mask_update(random_trajectories(3, seed=5), 1)
    agent.gradient_step(batch(0), learn_masks=True)
    agent.masks.end_mask_update()
    before = agent.target_critic.flat.detach().clone()
    agent.gradient_step(batch(1))
    assert not torch.equal(agent.target_critic.flat, before)
