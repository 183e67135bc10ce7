"""Networks with feature selectors against a plain reference with explicit hypernetworks; the scheduler by hand."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from must.algorithms import Agent, make_agent
from must.methods.t3s.network import SelectedNetwork
from must.methods.t3s.weighting import TaskScheduler
from must.networks import HiddenLayers
from must.types import Collected, Episode
from tests.support.agents import CPU, assert_same
from tests.support.helpers import random_batch, small_config
from tests.support.method_checks import (
    NORMS,
    assert_acts_in_numpy_as_in_torch,
    assert_batches_have_gradients_of_their_own,
    assert_matches,
    normalised,
    random_tensor,
)

IN_DIM, OUT_DIM, EXTRACTOR = 5, 3, 4
SELECTOR = [6, 8]
TRUNKS = pytest.mark.parametrize("trunk", [[9, 7], [10], [6, 5, 7]])
SIZES = pytest.mark.parametrize(("n_members", "n_tasks"), [(1, 1), (2, 1), (2, 3), (1, 10)])


def make(n_members: int, n_tasks: int, trunk: list[int], norm: bool = False) -> SelectedNetwork:
    torch.manual_seed(0)
    hidden = HiddenLayers(layer_norm=norm)
    network = SelectedNetwork(n_members, IN_DIM, n_tasks, trunk, OUT_DIM, SELECTOR, EXTRACTOR, hidden).double()
    with torch.no_grad():  # equal biases would hide one that is taken from the wrong place
        network.flat += 0.3 * torch.randn(network.flat.shape, dtype=torch.float64)
    return network


def own_size(trunk: list[int]) -> int:
    own = [*itertools.pairwise((trunk[0], *SELECTOR, trunk[-1])), (trunk[-1], EXTRACTOR), (EXTRACTOR, OUT_DIM)]
    return sum(fan_in * fan_out + fan_out for fan_in, fan_out in own)


def member(
    flat: torch.Tensor, observation: torch.Tensor, one_hot: torch.Tensor, trunk: list[int], norm: bool
) -> torch.Tensor:
    """Evaluate one member for one observation."""
    relu = (lambda values: normalised(values).relu()) if norm else torch.relu
    n_own = own_size(trunk)
    n_trunk = len(flat) - (len(one_hot) + 1) * n_own
    hypernetwork_bias, hypernetwork = flat[n_trunk : n_trunk + n_own], flat[n_trunk + n_own :].view(-1, n_own)

    def linears(parameters, *sizes):
        position = 0
        for fan_in, fan_out in itertools.pairwise(sizes):
            weight = parameters[position : position + fan_in * fan_out].view(fan_in, fan_out)
            position += fan_in * fan_out
            bias = parameters[position : position + fan_out]
            position += fan_out
            yield lambda values, weight=weight, bias=bias: functional.linear(values, weight.T, bias)
        assert position == len(parameters)

    hidden, seen = observation, []
    for linear in linears(flat[:n_trunk], IN_DIM, *trunk):
        hidden = relu(linear(hidden))
        seen.append(hidden)
    own = functional.linear(one_hot, hypernetwork.T, hypernetwork_bias)
    n_extractor = trunk[-1] * EXTRACTOR + EXTRACTOR + EXTRACTOR * OUT_DIM + OUT_DIM
    *selector, last = linears(own[:-n_extractor], trunk[0], *SELECTOR, trunk[-1])
    mask = seen[0]
    for linear in selector:
        mask = relu(linear(mask))
    extractor, output = linears(own[-n_extractor:], trunk[-1], EXTRACTOR, OUT_DIM)
    return output(relu(extractor(torch.sigmoid(last(mask)) * seen[-1])))


def reference(network: SelectedNetwork, inputs: torch.Tensor, trunk: list[int], norm: bool) -> torch.Tensor:
    tasks = list(zip(inputs, torch.eye(len(inputs), dtype=inputs.dtype), strict=True))
    outputs = [
        member(flat, row, one_hot, trunk, norm) for flat in network.flat for rows, one_hot in tasks for row in rows
    ]
    return torch.stack(outputs).view(len(network.flat), *inputs.shape[:2], OUT_DIM)


@SIZES
@TRUNKS
@NORMS
def test_outputs_and_gradients_match_the_reference(norm, trunk, n_members, n_tasks):
    network = make(n_members, n_tasks, trunk, norm)
    plain = lambda inputs: reference(network, inputs, trunk, norm)  # noqa: E731
    assert_matches(network, plain, (n_tasks, 4, IN_DIM))
    assert_batches_have_gradients_of_their_own(network, plain, (n_tasks, 4, IN_DIM))


def test_the_hypernetworks_part_of_a_task_reaches_that_task_alone():
    trunk = [9, 7]
    network, inputs = make(2, 3, trunk), random_tensor(1, 4, IN_DIM, seed=1).expand(3, -1, -1)
    before = network.task_parameters(None).forward(inputs).detach()
    assert not torch.allclose(before[:, 0], before[:, 1])  # of equal observations
    with torch.no_grad():
        start = network.flat.shape[1] - 2 * own_size(trunk)
        network.flat[:, start : start + own_size(trunk)] += 0.1
    after = network.task_parameters(None).forward(inputs).detach()
    assert torch.equal(after[:, [0, 2]], before[:, [0, 2]])
    assert (after[:, 1] != before[:, 1]).all()


@pytest.mark.parametrize("init", ["fan_in", "original"])
def test_the_composed_parameters_start_as_wide_as_those_of_an_ordinary_layer(init):
    torch.manual_seed(0)
    network = SelectedNetwork(2, 50, 4, [60, 40], 8, [30, 20], 30, HiddenLayers(init))
    network.requires_grad_(False)
    for found in network.task_parameters(None).members:
        for weight, bias in (*found.trunk, *found.selector, *found.extractor[:1]):
            bound = (weight.shape[1] if init == "fan_in" else weight.shape[2]) ** -0.5
            assert float(weight.std()) == pytest.approx(bound / math.sqrt(3), rel=0.05)
            torch.testing.assert_close(bias, torch.full_like(bias, 0.1))
        for values in found.extractor[1]:
            assert float(values.std()) == pytest.approx(3e-3 / math.sqrt(3), rel=0.25)
        assert not torch.equal(found.selector[0].weight[0], found.selector[0].weight[1])


# The scheduler


def test_the_scheduler_by_hand():
    scheduler = TaskScheduler(2, window=2, tau=0.5)
    scheduler.successes[0].extend([False, True, True, True])  # 0.5, then 1
    scheduler.successes[1].extend([True, True, False, True])  # 1, then 0.5
    failing = np.exp([0 / 0.5, 0.5 / 0.5])
    worse = np.exp([-0.5 / 0.5, 0.5 / 0.5])
    expected = 0.5 * failing / failing.sum() + 0.5 * worse / worse.sum()
    np.testing.assert_allclose(scheduler.shares(), expected)
    scheduler.successes[0].append(True)  # the oldest episode is forgotten: 1, then 1
    worse = np.exp([0, 0.5 / 0.5])
    expected = 0.5 * failing / failing.sum() + 0.5 * worse / worse.sum()
    np.testing.assert_allclose(scheduler.shares(), expected)


def test_without_a_window_before_nothing_has_changed():
    scheduler = TaskScheduler(2, window=3, tau=1)
    scheduler.successes[0].append(True)
    assert scheduler.shares().tolist() == [0.5, 0.5]  # nothing is known of the other task
    scheduler.successes[1].append(False)
    failing = np.exp([0, 1])
    np.testing.assert_allclose(scheduler.shares(), 0.5 * failing / failing.sum() + 0.25)


@pytest.mark.parametrize("n_tasks", [1, 3, 10])
def test_shares_are_equal_at_first_and_always_sum_to_one(n_tasks):
    scheduler, rng = TaskScheduler(n_tasks, window=2, tau=0.01), np.random.default_rng(0)
    assert (scheduler.shares() == 1 / n_tasks).all()
    for _ in range(6):
        for successes in scheduler.successes:
            successes.append(bool(rng.random() < 0.5))
        assert scheduler.shares().sum() == pytest.approx(1)
        assert (scheduler.shares() > 0).all()


# The agent


def agent(n_tasks: int = 3, network=None, norm: bool = False, **ours) -> Agent:
    sizes = {"selector_sizes": [31, 26], "extractor_size": 17, **ours}
    tasks = {"tasks": None, "benchmark": "MT10", "n_tasks": n_tasks}
    return make_agent(
        small_config(
            method="t3s", env=tasks, network={"hidden_sizes": network or [61, 45], "layer_norm": norm}, t3s=sizes
        ),
        CPU,
    )


def collected(*successes: bool) -> Collected:
    observations, actions, rewards = np.zeros((2, 39), "f"), np.zeros((1, 4), "f"), np.zeros(1, "f")
    episodes = tuple(Episode(observations, success) for success in successes)
    return Collected(observations[:1], actions, rewards, observations[1:], episodes)


@pytest.mark.parametrize("n_tasks", [1, 3, 10])
def test_the_policy_acts_in_numpy_as_it_does_in_torch_and_alike_in_any_company(n_tasks):
    for network in ([61, 45, 80], [33]):
        for norm in (False, True):
            assert_acts_in_numpy_as_in_torch(agent(n_tasks, network, norm))


def test_a_task_that_fails_counts_more_where_gradient_steps_read_it():
    made = agent()
    weights = made.weighting.weights(
        torch.zeros(3, 8), torch.zeros(2, 3, 8)
    ).critic  # a captured step reads this tensor for ever
    assert weights.tolist() == [1, 1, 1]
    made.on_collected([collected(True), collected(), collected(True)])
    assert weights.tolist() == [1, 1, 1]  # no episode of one task has ended yet
    made.on_collected([collected(), collected(False, False), collected()])
    assert weights[1] > 1 > weights[0] == weights[2]
    assert float(weights.mean()) == pytest.approx(1)
    expected = 3 * (0.5 * math.exp(10) / (2 + math.exp(10)) + 0.5 / 3)
    assert float(weights[1]) == pytest.approx(expected, rel=1e-6)
    assert made.weighting.weights(torch.zeros(3, 8), torch.zeros(2, 3, 8)).policy is weights
    fields = made.end_learning(1)
    assert tuple(fields) == made.columns
    assert made.columns[0].startswith("task_weight/")
    assert list(fields.values()) == pytest.approx(weights.tolist())


def test_weights_change_what_a_step_does():
    plain, weighted = agent(), agent()
    weighted.on_collected([collected(True), collected(False), collected(True)])
    for each in (plain, weighted):
        assert each.gradient_step(random_batch(3, 8)).isfinite().all()
    assert not torch.equal(plain.policy.flat, weighted.policy.flat)


def test_it_goes_on_exactly_from_its_saved_state(tmp_path):
    first, second = agent(scheduler_window=2), agent(scheduler_window=2)
    first.on_collected([collected(True, False), collected(False, False), collected(True)])
    first.gradient_step(random_batch(3, 8))
    torch.save(first.snapshot(), tmp_path / "state.pt")
    second.on_collected([collected(False)] * 3)  # is forgotten
    second.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    for each in (first, second):
        each.gradient_step(random_batch(3, 8, seed=1))
        each.on_collected([collected(True, True), collected(), collected(False)])
        each.gradient_step(random_batch(3, 8, seed=2))
    assert_same(first.snapshot(), second.snapshot())
    assert first.end_learning(1) == second.end_learning(1)
    losses = torch.zeros(3, 8), torch.zeros(2, 3, 8)
    assert torch.equal(first.weighting.weights(*losses).policy, second.weighting.weights(*losses).policy)


def test_sizes_are_those_of_the_networks():
    made = agent(3, [10, 6], selector_sizes=[5, 7], extractor_size=4)
    trunk, own = 39 * 10 + 10 * 6, 10 * 5 + 5 * 7 + 7 * 6 + 6 * 4 + 4 * 8
    trunk_biases, own_biases = 10 + 6, 5 + 7 + 6 + 4 + 8
    sizes = made.sizes()
    assert sizes["policy_parameters"] == trunk + trunk_biases + 4 * (own + own_biases) == made.policy.flat.numel()
    assert sizes["policy_parameters_kept"] == trunk + trunk_biases + own + own_biases
    assert sizes["flops_per_action"] == 2 * (trunk + own)
