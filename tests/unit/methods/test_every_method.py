"""What every method must hold, whatever it does: the harness relies on it."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from must.algorithms import GradientSteps, make_agent
from must.buffers import ReplayBuffer
from must.buffers.replay import ROW_DIM
from must.config import METHODS
from must.config.methods import KINDS as KINDS_OF_PARTS
from must.config.methods import MethodName
from must.networks.tanh_normal import sample
from must.types import OBS_DIM
from tests.support.agents import CPU, assert_same
from tests.support.helpers import merged, random_batch, small_config
from tests.support.methods import EVERY_KIND, begin_epoch, learn, settings
from tests.support.recording import WAITS, Recorder


def test_the_configuration_knows_every_method_and_part():
    assert set(MethodName.__args__) == METHODS.keys()
    assert len({spec.label for spec in METHODS.values()}) == len(METHODS)
    assert {part.kind for spec in METHODS.values() for part in spec.parts} == set(KINDS_OF_PARTS)
    names = [(part.kind, part.name) for spec in METHODS.values() for part in spec.parts]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("n_tasks", [1, 3, 10])
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_it_learns_with_any_number_of_tasks_and_rows(kind, n_tasks):
    agent = make_agent(small_config(**settings(kind, n_tasks)), CPU)
    before = [network.flat.detach().clone() for network in (agent.policy, agent.critic, agent.target_critic)]
    metrics = learn(agent, range(1, 5), rows=5)
    assert metrics.shape == (len(agent.reported(agent.masks.learns_masks(4))),)
    assert metrics.isfinite().all()
    for network, old in zip((agent.policy, agent.critic, agent.target_critic), before, strict=True):
        assert len(network.flat) == len(old)
        for member, start in zip(network.flat, old, strict=True):
            assert not torch.equal(member, start)
    assert agent.log_alpha.shape == (n_tasks,)
    assert all(network.flat.grad is None for network in (agent.policy, agent.critic, agent.target_critic))


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_it_goes_on_exactly_from_its_saved_state(kind, tmp_path):
    config = small_config(**settings(kind))
    first, second = make_agent(config, CPU), make_agent(config, CPU)
    learn(first, range(1, 4))
    torch.save(first.snapshot(), tmp_path / "state.pt")
    second.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    for agent in (first, second):
        learn(agent, range(4, 8))
    assert_same(first.snapshot(), second.snapshot())


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_the_policy_that_is_saved_is_the_one_that_acts(kind, tmp_path):
    config = small_config(**settings(kind))
    agent = make_agent(config, CPU)
    learn(agent, range(1, 4))
    torch.save(agent.final_state(), tmp_path / "final.pt")
    loaded = make_agent(config, CPU)
    loaded.load_policy(torch.load(tmp_path / "final.pt", weights_only=True))
    observations = np.random.default_rng(0).normal(size=(3, OBS_DIM)).astype("f")
    ours, theirs = agent.numpy_policy(), loaded.numpy_policy()
    assert ours.version == theirs.version == agent.mask_set.version
    assert np.array_equal(ours.act(observations, None), theirs.act(observations, None))


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_acting_in_numpy_is_the_policy_in_torch(kind):
    torch.manual_seed(0)
    agent = make_agent(small_config(**settings(kind)), CPU)
    learn(agent, range(1, 3))
    with torch.no_grad():  # so that tasks, and observations, tell
        agent.policy.flat += 0.3 * torch.randn(agent.policy.flat.shape, generator=torch.Generator().manual_seed(0))
    acting = agent.numpy_policy()
    observations, noise = torch.randn(3, 1, OBS_DIM), torch.randn(3, 1, 4)
    outputs = agent.policy.task_parameters(agent.mask_set.policy).forward(observations)[0].detach()
    seen = observations[:, 0].numpy()
    assert np.allclose(acting.act(seen, None), torch.tanh(outputs[:, 0, :4]).numpy(), atol=1e-5)
    assert np.allclose(acting.act(seen, noise[:, 0].numpy()), sample(outputs, noise)[0][:, 0].numpy(), atol=1e-5)
    assert np.ptp(acting.act(np.repeat(seen[:1], 3, 0), None), axis=0).max() > 1e-3  # it knows the task


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_an_action_is_the_same_to_the_last_bit_whatever_tasks_share_the_worker(kind):
    sizes = {"network": {"hidden_sizes": [400, 61, 400]}}
    agent = make_agent(small_config(**settings(kind, 10, **sizes)), CPU)
    learn(agent, range(1, 2), rows=2)
    acting, rng = agent.numpy_policy(), np.random.default_rng(0)
    for _ in range(5):
        observations, noise = rng.normal(size=(10, OBS_DIM)).astype("f"), rng.normal(size=(10, 4)).astype("f")
        together = acting.act(observations, noise)
        for tasks in ([0], [9], [3, 7], [1, 2, 5], [0, 1, 2, 3, 4], list(range(1, 10))):
            assert np.array_equal(acting.for_tasks(tasks).act(observations[tasks], noise[tasks]), together[tasks])


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_the_gradients_of_two_batches(kind):
    """The gradient of the first batch's outputs goes to the parameters alone, of the second's to the inputs."""
    torch.manual_seed(0)
    agent = make_agent(small_config(**settings(kind)), CPU)
    begin_epoch(agent, 1)
    network, inputs = agent.critic, torch.randn(2, 3, 4, OBS_DIM + 4, requires_grad=True)
    function = network.task_parameters(agent.mask_set.critic)
    both = function.forward_pair(inputs[0], inputs[1])
    for outputs, batch in zip(both, inputs, strict=True):
        torch.testing.assert_close(outputs, function.forward(batch), rtol=1e-5, atol=1e-6)
        assert outputs.shape == (2, 3, 4, 1)
    teaching = torch.randn(2, 3, 4, 1)
    of_first = torch.autograd.grad(
        (both[0] * teaching).sum(), (inputs, network.flat), retain_graph=True, allow_unused=True
    )
    of_second = torch.autograd.grad(
        (both[1] * teaching).sum(), (inputs, network.flat), retain_graph=True, allow_unused=True
    )
    alone = function.forward(inputs[0])
    expected = torch.autograd.grad((alone * teaching).sum(), network.flat)[0]
    torch.testing.assert_close(of_first[1], expected, rtol=1e-4, atol=1e-6)
    assert of_first[0] is None or not of_first[0].any()
    assert of_second[1] is None or not of_second[1].any()
    assert of_second[0][1].any()


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_nothing_in_an_ordinary_step_waits_for_the_device(kind):
    agent = make_agent(small_config(**settings(kind)), CPU)
    replay = ReplayBuffer(3, 300, CPU)
    replay.append_rows(torch.randn(3, 60, ROW_DIM, generator=torch.Generator().manual_seed(0)))
    begin_epoch(agent, 1)
    steps = GradientSteps(agent, replay, 8)
    steps.take(1)
    with Recorder() as recorder:
        steps.take(2)
    assert {"bmm", "randn", "_fused_adam"} <= recorder.names
    assert not recorder.names & WAITS


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_the_sizes_it_states_are_those_of_its_networks(kind):
    agent = make_agent(small_config(**settings(kind)), CPU)
    learn(agent, range(1, 10))
    sizes = agent.sizes()
    assert sizes["policy_parameters"] == sum(parameter.numel() for parameter in agent.policy.parameters())
    assert 2 * sizes["q_parameters"] == sum(parameter.numel() for parameter in agent.critic.parameters())
    for network in ("policy", "q"):
        assert 0 < sizes[f"{network}_parameters_kept"] <= sizes[f"{network}_parameters"]
    assert 0 < sizes["flops_per_action"] < 2 * sizes["policy_parameters_kept"]
    generates = small_config(**settings(kind)).spec.learns_masks and "saliency" not in kind
    assert (sizes["generator_parameters"] > 0) == generates


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_the_same_seed_gives_the_same_bits_and_another_one_other_networks(kind):
    config = settings(kind)
    twins = [make_agent(small_config(**config), CPU) for _ in range(2)]
    for agent in twins:
        learn(agent, range(1, 5))
    assert_same(twins[0].snapshot(), twins[1].snapshot())
    other = make_agent(small_config(**merged(config, {"training": {"seed": 1}})), CPU)
    assert not torch.equal(other.policy.flat, make_agent(small_config(**config), CPU).policy.flat)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_step_is_the_same_for_a_copy(kind):
    """No state of a step hides outside of the agent."""
    agent = make_agent(small_config(**settings(kind)), CPU)
    learn(agent, range(1, 2))
    twin = make_agent(small_config(**settings(kind)), CPU)
    twin.restore(copy.deepcopy(agent.snapshot()))
    batch = random_batch(3, 8)
    assert torch.equal(agent.gradient_step(batch), twin.gradient_step(batch))
