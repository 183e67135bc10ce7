import copy

import pytest
import torch

from must.algorithms import METRICS, Agent
from must.algorithms.agent import clip_members
from must.masks.mask_set import SubNetworks
from must.methods.must.masks import LearnedMasks
from tests.support.agents import KINDS, assert_same, make, moved, parameters
from tests.support.helpers import merged, random_batch, random_trajectories


@pytest.mark.parametrize("n_tasks", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_run_takes_steps_and_updates_masks(kind, n_tasks):
    agent = make(n_tasks, **KINDS[kind])
    batch = random_batch(n_tasks, 8)
    for _ in range(3):
        metrics = agent.gradient_step(batch)
    assert metrics.shape == (len(METRICS),)
    assert metrics.isfinite().all()
    if kind != "dense":
        version = agent.mask_set.version
        agent.masks.begin_mask_update(random_trajectories(n_tasks))
        metrics = agent.gradient_step(batch, learn_masks=True)
        assert metrics.isfinite().all()
        assert metrics.shape == (len(METRICS) + 3,)
        assert (metrics[-3:] > 0).all()  # the gradient reaches every generator
        assert agent.mask_set.version == version  # nothing is published in the middle of an update
        agent.masks.end_mask_update()
        assert agent.mask_set.version == version + 1
        assert agent.gradient_step(batch).isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_sizes_it_states_are_those_of_its_networks_and_masks(kind):
    agent = make(**KINDS[kind])
    sizes = agent.sizes()
    assert sizes["policy_parameters"] == agent.policy.flat.numel()
    assert 2 * sizes["q_parameters"] == agent.critic.flat.numel()
    learned = agent.masks.mask_learner.parameters() if isinstance(agent.masks, LearnedMasks) else ()
    assert sizes["generator_parameters"] == sum(parameter.numel() for parameter in learned)
    biases = sum(width for _, width in agent.policy.weight_shapes)
    for name, masks, network in (("policy", agent.mask_set.policy, agent.policy), ("q", agent.mask_set.critic, None)):
        kept = sizes[f"{name}_parameters_kept"]
        if masks is None:
            assert kept == sizes[f"{name}_parameters"]
        elif isinstance(masks, SubNetworks):
            one_hots_of_others = (agent.n_tasks - 1) * masks.widths[0]
            assert kept == masks.positions.shape[2] + one_hots_of_others
        else:
            unmasked = sizes[f"{name}_parameters"] - masks.elements.shape[2]
            assert (masks.elements.sum(dim=2) + unmasked == kept).all()
        if network is not None and kind in ("dense", "weight, dense head"):
            assert sizes["flops_per_action"] == 2 * (kept - biases)


@pytest.mark.parametrize(("granularity", "ratio"), [("weight", 0.37), ("weight", 0.95), ("neuron", 0.5)])
def test_published_masks_have_exact_density(granularity, ratio):
    agent = make(masks={"granularity": granularity, "pruning_ratio": ratio})
    for masks in (agent.mask_set, _updated(agent)):
        for network, rows in masks.kept_elements().items():
            layout = agent.masks.layouts[0 if network == "policy" else 1]
            assert (rows.sum(1) == sum(layout.kept(ratio))).all()


def _updated(agent: Agent):
    agent.masks.begin_mask_update(random_trajectories(agent.n_tasks))
    agent.masks.end_mask_update()
    return agent.mask_set


@pytest.mark.parametrize("clip", [None, 0.01])
def test_a_step_does_what_separate_networks_and_optimizers_would_do(clip):
    """One gradient step against a plain one: each network alone, autograd over everything, torch's own clipping."""
    agent = make(masks={"granularity": "weight", "pruning_ratio": 0.37}, sac={"q_clip": clip})
    twin = copy.deepcopy({"policy": agent.policy, "critic": agent.critic, "target": agent.target_critic})
    log_alpha = agent.log_alpha.detach().clone().requires_grad_()
    batch, sac = random_batch(3, 8), agent.config.sac
    discount = torch.full((3, 8), sac.gamma)
    if clip is not None:  # and rows have several steps, some of which end an episode for good
        discount = sac.gamma ** torch.arange(24.0).view(3, 8) * (torch.arange(24).view(3, 8) % 5 != 0)
        batch = batch._replace(discount=discount)
    bounds = {"min": -(clip or 1e9), "max": clip or 1e9}
    noise_rng = torch.Generator().set_state(agent.rngs["policy_noise"].get_state())
    agent.gradient_step(batch)

    from must.networks import apply_task_parameters
    from must.networks.tanh_normal import sample

    def evaluate(network, masks, *inputs):
        return apply_task_parameters(network.task_parameters(masks), torch.cat(inputs, -1))

    noise, next_noise = torch.randn((2, *batch.actions.shape), generator=noise_rng)
    masks = agent.mask_set
    actions, log_probs = sample(evaluate(twin["policy"], masks.policy, batch.observations)[0], noise)
    entropy_gap = log_probs.detach().mean(1) + sac.target_entropy
    optimizer = torch.optim.Adam([log_alpha], lr=sac.lr)
    (-(log_alpha * entropy_gap).mean()).backward()
    optimizer.step()
    alpha = log_alpha.detach().exp()
    with torch.no_grad():
        next_actions, next_log_probs = sample(
            evaluate(twin["policy"], masks.policy, batch.next_observations)[0], next_noise
        )
        next_q = evaluate(twin["target"], masks.critic, batch.next_observations, next_actions)[..., 0]
        target = batch.rewards + discount * (next_q.amin(0) - alpha[:, None] * next_log_probs)
        target = target.clamp(**bounds)
    loss = alpha[:, None] * log_probs - evaluate(twin["critic"], masks.critic, batch.observations, actions)[
        ..., 0
    ].amin(0)
    policy_gradients = torch.autograd.grad(loss.mean(), list(twin["policy"].parameters()))
    q = evaluate(twin["critic"], masks.critic, batch.observations, batch.actions)[..., 0].clamp(**bounds)
    for member in range(2):
        error = (q[member] - target).square().mean()
        gradients = torch.autograd.grad(error, list(twin["critic"].parameters()), retain_graph=True)
        shares = [gradient[member] for gradient in gradients]
        before = [p.detach()[member] for p in twin["critic"].parameters()]
        after = [p.detach()[member] for p in agent.critic.parameters()]
        _assert_adam_step(before, shares, after, sac)
    before = [p.detach() for p in twin["policy"].parameters()]
    _assert_adam_step(before, policy_gradients, [p.detach() for p in agent.policy.parameters()], sac)
    assert torch.allclose(agent.log_alpha, log_alpha)
    for slow, old, fast in zip(
        agent.target_critic.parameters(), twin["target"].parameters(), agent.critic.parameters(), strict=True
    ):
        assert torch.allclose(slow, (1 - sac.tau) * old + sac.tau * fast, atol=1e-7)


def _assert_adam_step(before, gradients, after, sac) -> None:
    copies = [value.clone().requires_grad_() for value in before]
    for value, gradient in zip(copies, gradients, strict=True):
        value.grad = gradient.clone()
    torch.nn.utils.clip_grad_norm_(copies, sac.max_grad_norm)
    torch.optim.Adam(copies, lr=sac.lr).step()
    for value, result in zip(copies, after, strict=True):
        assert torch.allclose(value, result, atol=1e-6)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "dense"])
def test_no_step_leaves_a_gradient_for_the_next_one(kind):
    agent = make(**KINDS[kind])

    def gradients():
        networks = agent.policy, agent.critic, agent.masks.mask_learner
        return [p.grad for network in networks for p in network.parameters() if p.grad is not None]

    agent.gradient_step(random_batch(3, 8))
    assert not gradients()
    agent.masks.begin_mask_update(random_trajectories(3))
    assert not gradients()
    agent.gradient_step(random_batch(3, 8), learn_masks=True)
    assert not gradients()
    agent.masks.end_mask_update()
    assert not gradients()


def test_clipping_treats_each_member_by_itself():
    values = torch.nn.Parameter(torch.zeros(2, 17))
    values.grad = torch.randn(values.shape, generator=torch.Generator().manual_seed(0))
    values.grad[1] *= 1e-3
    small = values.grad[1].clone()
    norms = clip_members(values, 1.0)
    assert norms[0] > 1 > norms[1]
    assert float(values.grad[0].norm()) == pytest.approx(1, rel=1e-4)
    assert torch.equal(values.grad[1], small)


def test_an_agent_goes_on_exactly_from_its_saved_state(tmp_path):
    for kind in ("neuron", "weight, dense head", "dense"):
        first = make(**KINDS[kind])
        batch = random_batch(3, 8)
        first.gradient_step(batch)
        if kind != "dense":
            _updated(first)
        torch.save(first.snapshot(), tmp_path / "state.pt")
        second = make(**KINDS[kind])
        second.restore(torch.load(tmp_path / "state.pt", weights_only=True))
        for agent in (first, second):
            agent.gradient_step(batch)
            if kind != "dense":
                agent.masks.begin_mask_update(random_trajectories(3))
                agent.gradient_step(batch, learn_masks=True)
                agent.masks.end_mask_update()
            agent.gradient_step(batch)
        assert_same(first.snapshot(), second.snapshot())


def test_acting_in_numpy_is_the_policy_in_torch():
    import numpy as np

    from must.networks import apply_task_parameters
    from must.networks.tanh_normal import sample

    for kind in KINDS:
        agent = make(**KINDS[kind])
        acting = agent.numpy_policy()
        assert acting.version == agent.mask_set.version
        observations, noise = torch.randn(3, 1, 39), torch.randn(3, 1, 4)
        outputs = apply_task_parameters(agent.policy.task_parameters(agent.mask_set.policy), observations)[0]
        expected = sample(outputs, noise)[0].detach().numpy()
        mean = torch.tanh(outputs[..., :4]).detach().numpy()
        seen = observations[:, 0].numpy()
        assert np.allclose(acting.act(seen, noise[:, 0].numpy()), expected[:, 0], atol=1e-6)
        assert np.allclose(acting.for_tasks([2, 0]).act(seen[[2, 0]], None), mean[[2, 0], 0], atol=1e-6)


@pytest.mark.parametrize("kind", ["dense", "weight, dense head", "neuron"])
def test_an_action_is_the_same_to_the_last_bit_whatever_tasks_share_the_worker(kind):
    import numpy as np

    rng = np.random.default_rng(0)
    ten = {"env": {"tasks": None, "benchmark": "MT10"}, "network": {"hidden_sizes": [400, 61, 400]}}
    agent = make(10, **merged(KINDS[kind], ten))
    acting = agent.numpy_policy()
    for _ in range(20):
        observations, noise = rng.normal(size=(10, 39)).astype("f"), rng.normal(size=(10, 4)).astype("f")
        together = acting.act(observations, noise)
        for tasks in ([0], [9], [3, 7], [1, 2, 5], [0, 1, 2, 3, 4], list(range(1, 10))):
            apart = acting.for_tasks(tasks).act(observations[tasks], noise[tasks])
            assert np.array_equal(apart, together[tasks])


def test_runs_with_different_seeds_start_differently_and_generators_leave_the_networks_alone():
    fan_in = {"network": {"init": "fan_in"}}  # `he` looks at the masks
    base, other = make(**fan_in), make(**fan_in, training={"seed": 1})
    dense = make(**fan_in, masks={"pruning_ratio": 0})
    assert moved(parameters(base.policy), other.policy)
    assert not moved(parameters(base.policy), dense.policy)
    assert not moved(parameters(base.critic), dense.critic)
