"""Renewals of MUST's masks: bounded, apart from the networks' own learning, and without a jump of what they compute."""

from __future__ import annotations

import pytest
import torch

from must.algorithms import Agent, make_agent
from must.algorithms.losses import q_losses, q_target
from must.config.schedule import swaps_allowed
from must.networks.tanh_normal import sample
from tests.support.agents import CPU, moved, parameters
from tests.support.helpers import merged, random_batch, random_trajectories, small_config

KINDS = {
    "generator": {},
    "supervised term": {"generator": {"sl_weight": 0.5}},
    "saliency": {"masks": {"rule": "saliency"}},
    "weight": {"masks": {"granularity": "weight"}},
    "saliency of weights": {"masks": {"rule": "saliency", "granularity": "weight"}},
    "actor": {"masks": {"networks": "actor"}},
}
STEPS = 40


def trained(kind: str, **sections) -> Agent:
    """Return an agent that has learned for a while under its first masks, so that swaps would hurt it."""
    wide = {
        "network": {"hidden_sizes": [40, 30]},
        "training": {"epochs": 100, "opt_times": STEPS},
        "masks": {"max_churn": 0.2},
        "generator": {"lr": 0.01},
        "sac": {"lr": 1e-2},
    }
    agent = make_agent(small_config(**merged(merged(wide, KINDS[kind]), sections)), CPU)
    agent.masks.publish_initial(random_trajectories(3))
    for step in range(60):
        agent.gradient_step(random_batch(3, 16, seed=step))
    return agent


@torch.no_grad()
def td_error(agent: Agent) -> float:
    """Return the mean squared TD error of a batch that is not trained on, under the masks of the next gradient step."""
    agent.prepare_step(learn_masks=False)
    functions, batch, sac = agent.masks.functions(False), random_batch(3, 200, seed=999), agent.config.sac
    noise = torch.randn(batch.actions.shape, generator=torch.Generator().manual_seed(0))
    next_actions, log_probs = sample(functions.policy.forward(batch.next_observations)[0], noise)
    next_q = functions.target_critic.forward(torch.cat((batch.next_observations, next_actions), -1)).squeeze(-1)
    target = q_target(batch.rewards, next_q, log_probs, agent.log_alpha.exp(), sac.gamma)
    q = functions.critic.forward(torch.cat((batch.observations, batch.actions), -1)).squeeze(-1)
    return float(q_losses(q, target).mean())


def update(agent: Agent, number: int = 1) -> None:
    agent.masks.begin_mask_update(random_trajectories(3, seed=5), number)
    for step in range(5):
        agent.gradient_step(random_batch(3, 16, seed=100 + step), learn_masks=True)
    agent.masks.end_mask_update()


@pytest.mark.parametrize("kind", KINDS)
def test_networks_stay_as_they_are_while_masks_are_learned(kind):
    agent = trained(kind)
    networks = agent.policy, agent.critic, agent.target_critic
    before, alpha = [parameters(network) for network in networks], agent.log_alpha.detach().clone()
    moments = {name: str(optimizer.state_dict()) for name, optimizer in agent.optimizers.items()}
    update(agent)
    assert not any(moved(old, network) for old, network in zip(before, networks, strict=True))
    assert torch.equal(agent.log_alpha, alpha)
    assert moments == {name: str(optimizer.state_dict()) for name, optimizer in agent.optimizers.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_renewal_swaps_some_elements_and_no_more_than_the_bound(kind):
    agent = trained(kind)
    for number in (1, 30, 60, 75):
        before = agent.masks.published_rows()
        update(agent, number)
        while agent.masks.fading:
            agent.gradient_step(random_batch(3, 4))
        masks, changed = agent.config.masks, 0
        for old, new, layout in zip(before, agent.masks.published_rows(), agent.masks.masked_layouts, strict=True):
            for mask, renewed, kept in zip(old, new, layout.kept(masks.pruning_ratio), strict=True):
                swapped = (renewed * (1 - mask)).sum(1)
                assert (renewed.sum(1) == kept).all()
                assert (swapped <= swaps_allowed(kept, number, 100, masks.freeze_after, masks.max_churn)).all()
                changed += int(swapped.sum())
        assert changed > 0


@pytest.mark.parametrize("kind", KINDS)
def test_just_after_a_renewal_the_td_error_is_what_it_was(kind):
    """Fading in makes the difference: at once, the same swaps cost more."""
    agent, at_once = trained(kind), trained(kind, masks={"fade": False, "hold_targets": False})
    before = td_error(agent)
    assert before == td_error(at_once)
    for each in (agent, at_once):
        update(each)
    assert agent.masks.fading
    assert not at_once.masks.fading
    assert td_error(agent) == pytest.approx(before, rel=0.1)
    assert abs(td_error(at_once) - before) > 3 * abs(td_error(agent) - before)


@pytest.mark.parametrize("kind", KINDS)
def test_what_fades_is_there_at_the_last_step_of_the_epoch(kind):
    agent = trained(kind)
    update(agent)
    assert agent.masks.fading
    for step in range(STEPS - 1):
        agent.gradient_step(random_batch(3, 8, seed=step))
    agent.prepare_step(learn_masks=False)
    last = agent.masks.functions(False)
    assert not agent.masks.fading
    inputs = random_batch(3, 8, seed=1).observations
    published = agent.policy.task_parameters(agent.mask_set.policy)
    torch.testing.assert_close(last.policy.forward(inputs), published.forward(inputs), rtol=1e-4, atol=1e-5)


def test_the_original_update_moves_networks_and_generators_together_and_knows_no_bound():
    agent = trained("generator", masks={"update": "joint", "max_churn": None})
    before, networks = agent.masks.published_rows(), parameters(agent.policy)
    agent.masks.begin_mask_update(random_trajectories(3, seed=5), 1)
    for step in range(20):
        agent.gradient_step(random_batch(3, 16, seed=step), learn_masks=True)
    agent.masks.end_mask_update()
    assert moved(networks, agent.policy)
    assert not agent.masks.fading
    chosen = agent.masks.mask_learner.choose()
    for ours, network in zip(agent.masks.published_rows(), chosen, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(ours, network, strict=True))
    swapped = [
        float((new * (1 - old)).sum() / new.sum())
        for a, b in zip(before, chosen, strict=True)
        for old, new in zip(a, b, strict=True)
    ]
    assert max(swapped) > 0.2


def test_saliency_drops_what_is_never_active_and_takes_in_what_lowers_the_loss():
    from must.methods.must.mask_rule import Published
    from must.methods.must.saliency import Saliency

    mask = torch.tensor([[1.0, 1, 1, 0, 0, 0]])
    rule = Saliency([[3]])
    rule.begin_update(Published([[mask]], [[1]]), None, torch.Generator())
    for sign in (1, -1):
        (drawn,) = rule.draw(torch.Generator())[0]
        assert torch.equal(drawn.detach(), mask)
        slopes = torch.tensor([[5.0 * sign, 0.0, -2.0 * sign, 3.0, -1.0, 100.0 * sign]])
        (drawn * slopes).sum().backward()
        assert rule.step() == []
    ((renewed,),), _ = rule.finish_update()
    assert renewed.tolist() == [[1, 0, 1, 0, 1, 0]], "2 never mattered; 5 always lowers the loss, 6 does by accident"
