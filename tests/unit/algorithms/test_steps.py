import pytest
import torch

from must.algorithms import Agent, GradientSteps, make_agent
from must.buffers import ReplayBuffer
from must.buffers.replay import ROW_DIM
from must.methods.must.masks import GeneratedMasks
from tests.support.agents import CPU
from tests.support.helpers import random_trajectories, small_config
from tests.support.recording import WAITS, Recorder

KINDS = {
    "dense": {"pruning_ratio": 0},
    "weight": {"granularity": "weight"},
    "neuron": {"granularity": "neuron"},
}


def make(masks: dict) -> tuple[Agent, ReplayBuffer]:
    agent = make_agent(small_config(env={"n_tasks": 3}, masks=masks), CPU)
    if isinstance(agent.masks, GeneratedMasks):
        agent.masks.publish_initial(random_trajectories(agent.n_tasks))
    replay = ReplayBuffer(3, 300, CPU)
    replay.append_rows(torch.randn(3, 60, ROW_DIM, generator=torch.Generator().manual_seed(0)))
    return agent, replay


@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_those_of_the_agent_and_their_reports_are_averaged(kind):
    agent, replay = make(KINDS[kind])
    twin, _ = make(KINDS[kind])
    steps = GradientSteps(agent, replay, 8)
    for learn_masks in (False, True) if kind != "dense" else (False, False):
        if learn_masks:
            for each in (agent, twin):
                each.masks.begin_mask_update(random_trajectories(3))
        reported = steps.take(4, learn_masks)
        expected = [twin.gradient_step(replay.sample(8, twin.rngs["batches"]), learn_masks) for _ in range(4)]
        torch.testing.assert_close(reported, torch.stack(expected).mean(0))
        for network in ("policy", "critic", "target_critic"):
            assert torch.equal(getattr(agent, network).flat, getattr(twin, network).flat)


@pytest.mark.parametrize("kind", KINDS)
def test_an_ordinary_step_can_be_captured_because_nothing_in_it_waits_for_the_device(kind):
    agent, replay = make(KINDS[kind])
    steps = GradientSteps(agent, replay, 8)
    steps.take(1)  # optimizers set themselves up in the first one
    with Recorder() as recorder:
        steps.take(2)
    assert {"bmm", "rand", "randn", "_fused_adam"} <= recorder.names
    assert not recorder.names & WAITS


def test_the_recorder_sees_a_step_that_waits():
    with Recorder() as recorder:
        float(torch.ones(()))
    assert recorder.names & WAITS


def test_batches_reach_the_newest_rows_at_once():
    replay = ReplayBuffer(2, 20, CPU)
    replay.append_rows(torch.zeros(2, 3, ROW_DIM))
    replay.append_rows(torch.ones(2, 3, ROW_DIM))
    rewards = replay.sample(200, torch.Generator().manual_seed(0)).rewards
    assert rewards.min() == 0
    assert rewards.max() == 1
