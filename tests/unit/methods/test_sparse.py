"""Masks that do not learn: random ones that never change, and magnitude pruning."""

from __future__ import annotations

import math

import pytest
import torch

from must.algorithms import make_agent
from must.masks import kept
from must.methods.magnitude.masks import magnitude_masks, pruning_is_due, sparsity_at
from tests.support.agents import CPU
from tests.support.helpers import random_trajectories, small_config
from tests.support.methods import learn, settings

RATIO = 0.7


def make(method: str, n_tasks: int = 3, **sections):
    sections = {"masks": {"pruning_ratio": RATIO}, **sections}
    return make_agent(small_config(**settings(method, n_tasks, **sections)), CPU)


@pytest.mark.parametrize("granularity", ["weight", "neuron"])
@pytest.mark.parametrize("method", ["static_sparse", "shared_sparse"])
def test_random_masks_have_exact_density_and_never_change(method, granularity):
    agent = make(method, masks={"granularity": granularity, "pruning_ratio": RATIO})
    agent.masks.before_epoch(0, lambda: random_trajectories(agent.n_tasks))
    assert agent.mask_set.version == 0
    learn(agent, range(1, 2))
    first = agent.mask_set
    learn(agent, range(2, 8))
    assert agent.mask_set is first
    for network, rows in first.kept_elements().items():
        layout = agent.masks.layouts[0 if network == "policy" else 1]
        assert (rows.sum(1) == sum(layout.kept(RATIO))).all()


@pytest.mark.parametrize("granularity", ["weight", "neuron"])
def test_static_masks_differ_between_tasks_and_shared_ones_do_not(granularity):
    masks = {"masks": {"granularity": granularity, "pruning_ratio": RATIO}}
    static, shared = (make(method, **masks) for method in ("static_sparse", "shared_sparse"))
    for agent in (static, shared):
        learn(agent, range(1, 2))
    for rows in static.mask_set.kept_elements().values():
        assert not torch.equal(rows[0], rows[1])
    assert all(len(rows) == 1 for rows in shared.mask_set.kept_elements().values())
    tensors = shared.mask_set.policy.units if granularity == "neuron" else (shared.mask_set.policy.elements,)
    assert all(torch.equal(tensor, tensor[:, :1].expand_as(tensor)) for tensor in tensors)


def test_masks_of_must_start_as_the_static_ones():
    static, must = make("static_sparse"), make("must")
    for agent in (static, must):
        agent.masks.before_epoch(1, lambda: random_trajectories(3))
    for ours, theirs in zip(static.mask_set.policy.units, must.mask_set.policy.units, strict=True):
        assert torch.equal(ours, theirs)


def test_magnitude_keeps_exactly_the_largest():
    weights = torch.tensor([[[0.5, -3.0], [0.1, 2.0], [-0.2, 0.0]]])
    masks = magnitude_masks([weights], 0.5).elements[0, 0].view(3, 2)
    assert masks.tolist() == [[1, 1], [0, 1], [0, 0]]
    random = [torch.randn(2, 7, 9), torch.randn(2, 9, 1)]
    rows = magnitude_masks(random, 0.8).elements
    assert rows.shape == (2, 1, 72)
    for member in range(2):
        for weight, mask in zip(random, rows[member, 0].split([63, 9]), strict=True):
            size, chosen = weight[member].abs().flatten(), mask.bool()
            assert int(chosen.sum()) == kept(len(size), 0.8)
            assert size[chosen].min() > size[~chosen].max()


def schedule(epochs: int, **magnitude) -> list[float]:
    """The sparsity in each training epoch, of those epochs' steps that are due."""
    config = small_config(
        **settings("magnitude", masks={"pruning_ratio": RATIO}, training={"epochs": epochs}, magnitude=magnitude)
    )
    now, seen = 0.0, []
    for number in range(1, epochs + 1):
        if pruning_is_due(number, config):
            now = sparsity_at(number, config)
        seen.append(now)
    return seen


def test_the_schedule_is_the_polynomial_between_start_and_end():
    seen = schedule(100, start=0.2, end=0.8, interval=1, power=3)
    assert seen[:21] == [0.0] * 21
    assert seen[50] == pytest.approx(RATIO * (1 - 0.5**3))
    assert seen[80:] == pytest.approx([RATIO] * 20)
    assert seen == sorted(seen)


@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("magnitude", [{}, {"interval": 7}, {"end": 1.0}, {"start": 0.5, "end": 0.51}])
def test_the_last_epochs_have_the_final_sparsity_whatever_the_interval(magnitude, epochs):
    assert schedule(epochs, **magnitude)[-1] == pytest.approx(RATIO)


@pytest.mark.parametrize("networks", ["actor", "both"])
def test_what_was_cut_is_zero_and_never_comes_back(networks):
    agent = make("magnitude", magnitude={"networks": networks, "start": 0, "end": 0.6})
    cut_before = torch.zeros_like(agent.policy.flat, dtype=torch.bool)
    for number in range(1, 11):
        learn(agent, range(number, number + 1))
        if agent.mask_set.policy is None:
            assert number == 1
            continue
        n = agent.mask_set.policy.elements.shape[2]
        cut = torch.zeros_like(cut_before)
        cut[:, :n] = agent.mask_set.policy.elements[:, 0] == 0
        assert (cut | ~cut_before).all(), "it grows"
        assert not agent.policy.flat[cut].any()
        cut_before = cut
    assert agent.end_learning(10) == {"sparsity": pytest.approx(RATIO)}
    assert int(cut_before.sum()) == sum(math.prod(s) for s in agent.policy.weight_shapes) - sum(
        agent.masks.layouts[0].kept(RATIO)
    )
    zeros = int((agent.critic.flat == 0).sum())
    assert (agent.mask_set.critic is None) == (networks == "actor")
    assert (zeros > 0) == (networks == "both")


def test_all_tasks_share_the_pruned_network_and_its_weights():
    agent = make("magnitude")
    learn(agent, range(1, 10))
    assert agent.policy.task_parameters(agent.mask_set.policy).flat.shape[1] == 1
    assert agent.mask_set.shared
