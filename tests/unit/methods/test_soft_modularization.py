"""Modular networks against a plain reference: every task and module by itself, one-hots multiplied out, autograd."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from must.algorithms import Agent, TaskWeights, make_agent
from must.methods.soft_modularization.network import ModularNetwork, route
from must.networks import HiddenLayers
from must.networks.layers import Rows, chain
from tests.support.agents import CPU
from tests.support.helpers import random_batch, small_config
from tests.support.method_checks import (
    NORMS,
    assert_acts_in_numpy_as_in_torch,
    assert_batches_have_gradients_of_their_own,
    assert_matches,
    normalised,
    random_tensor,
)

IN_DIM, OUT_DIM, ROUTING = 5, 3, 7
ENCODER = [9, 6]
SHAPES = pytest.mark.parametrize("shape", [(2, 2, 8), (3, 3, 4), (1, 2, 5), (2, 1, 4)])
SIZES = pytest.mark.parametrize(("n_members", "n_tasks"), [(1, 1), (2, 1), (2, 3), (1, 10)])


def make(n_members: int, n_tasks: int, shape: tuple[int, int, int], norm: bool = False) -> ModularNetwork:
    torch.manual_seed(0)
    hidden = HiddenLayers(layer_norm=norm)
    network = ModularNetwork(n_members, IN_DIM, n_tasks, OUT_DIM, shape, ENCODER, ROUTING, hidden).double()
    with torch.no_grad():  # equal biases would hide one that is taken from the wrong place, and equal shares as well
        network.flat += 0.5 * torch.randn(network.flat.shape, dtype=torch.float64)
    return network


class Reference:
    """One member, its parameters read from ``flat`` one after the other in the documented order."""

    def __init__(self, flat: torch.Tensor, n_tasks: int, shape: tuple[int, int, int], norm: bool) -> None:
        self._flat, self._position = flat, 0
        self.hidden = normalised if norm else lambda values: values
        n_layers, n, units = shape
        self.n = n
        self.encoder = [self._linear(IN_DIM, ENCODER[0]), self._linear(*ENCODER)]
        self.routing = [self._linear(ENCODER[1], ROUTING), self._linear(ROUTING, ROUTING)]
        self.down = [self._linear(ROUTING, n * n) for _ in range(n_layers - 1)] + [self._linear(ROUTING, n)]
        self.up = [self._linear(layer * n * n, ROUTING) for layer in range(1, n_layers)]
        self.modules = [self._linears(n, ENCODER[1], units)] + [
            self._linears(n, units, units) for _ in range(n_layers - 1)
        ]
        self.output = self._linear(units, OUT_DIM)
        self.embedding = self._take(n_tasks, ENCODER[1])
        assert self._position == len(flat)

    def _take(self, *shape: int) -> torch.Tensor:
        start, self._position = self._position, self._position + math.prod(shape)
        return self._flat[start : self._position].view(shape)

    def _linear(self, fan_in: int, fan_out: int):
        weight, bias = self._take(fan_in, fan_out), self._take(fan_out)
        return lambda values: functional.linear(values, weight.T, bias)

    def _linears(self, n: int, fan_in: int, fan_out: int):
        weights, biases = self._take(n, fan_in, fan_out), self._take(n, fan_out)
        return [lambda values, i=i: functional.linear(values, weights[i].T, biases[i]) for i in range(n)]

    def __call__(self, observation: torch.Tensor, one_hot: torch.Tensor) -> torch.Tensor:
        relu, hidden = functional.relu, self.hidden
        features = hidden(self.encoder[1](relu(hidden(self.encoder[0](observation)))))
        g = hidden(self.routing[1](relu(hidden(self.routing[0](relu(features * (one_hot @ self.embedding)))))))
        shares = []
        for layer, down in enumerate(self.down):
            seen = g if layer == 0 else self.up[layer - 1](torch.cat([p.flatten() for p in shares])) * g
            shares.append(functional.softmax(down(relu(seen)).view(-1, self.n), dim=1))
        outputs = [module(relu(features)) for module in self.modules[0]]
        for layer, modules in enumerate(self.modules[1:]):
            sums = [sum(p * out for p, out in zip(row, outputs, strict=True)) for row in shares[layer]]
            outputs = [module(relu(hidden(values))) for module, values in zip(modules, sums, strict=True)]
        mixed = sum(p * out for p, out in zip(shares[-1][0], outputs, strict=True))
        return self.output(relu(hidden(mixed)))


def reference(network: ModularNetwork, inputs: torch.Tensor, shape, norm: bool) -> torch.Tensor:
    n_tasks = len(inputs)
    tasks = list(zip(inputs, torch.eye(n_tasks, dtype=inputs.dtype), strict=True))
    members = [Reference(flat, n_tasks, shape, norm) for flat in network.flat]
    outputs = [member(row, one_hot) for member in members for rows, one_hot in tasks for row in rows]
    return torch.stack(outputs).view(len(members), *inputs.shape[:2], OUT_DIM)


@SIZES
@SHAPES
@NORMS
def test_outputs_and_gradients_match_the_reference(norm, shape, n_members, n_tasks):
    network = make(n_members, n_tasks, shape, norm)
    plain = lambda inputs: reference(network, inputs, shape, norm)  # noqa: E731
    assert_matches(network, plain, (n_tasks, 4, IN_DIM))
    assert_batches_have_gradients_of_their_own(network, plain, (n_tasks, 4, IN_DIM))


@SHAPES
def test_what_the_modules_count_sums_to_one_over_the_sources(shape):
    network, rows = make(1, 3, shape), Rows(3, 1, 4)
    (member,) = network.task_parameters(None).members
    features = chain(random_tensor(1, 12, IN_DIM, seed=1), member.parts.encoder, rows, False)
    shares = route(member, features, rows, False)
    n_layers, n, _ = shape
    assert [tuple(each.shape) for each in shares] == [(12, n, n)] * (n_layers - 1) + [(12, 1, n)]
    for each in shares:
        torch.testing.assert_close(each.sum(2), torch.ones(each.shape[:2], dtype=torch.float64))
        assert (each > 0).all()
        assert n == 1 or each.std(0).max() > 1e-3  # it depends on the observation


@NORMS
def test_with_one_module_in_a_layer_it_is_a_plain_perceptron(norm):
    network = make(1, 2, (3, 1, 4), norm)
    (member,) = network.task_parameters(None).members
    parts = member.parts
    layers = []
    for weight, bias in (*parts.encoder, *parts.modules, *parts.output):
        linear = nn.Linear(*weight.shape[1:], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(weight[0].T)
            linear.bias.copy_(bias[0, 0])
        layers.append(linear)
    *hidden, output = layers
    inputs = expected = random_tensor(2, 4, IN_DIM, seed=1)
    for linear in hidden:
        values = linear(expected)
        expected = (normalised(values) if norm else values).relu()
    torch.testing.assert_close(network.task_parameters(None).forward(inputs)[0], output(expected))


@pytest.mark.parametrize("init", ["fan_in", "original"])
def test_initial_parameters(init):
    torch.manual_seed(0)
    network = ModularNetwork(2, 50, 4, 3, (2, 2, 40), [60, 30], 20, HiddenLayers(init))
    (first, second) = network.task_parameters(None).members
    assert not torch.equal(first.parts.encoder[0].weight, second.parts.encoder[0].weight)
    hidden = (*first.parts.encoder, *first.parts.routing, *first.parts.past, *first.parts.modules)
    for weight, bias in hidden:
        bound = (weight.shape[1] if init == "fan_in" else weight.shape[2]) ** -0.5
        assert 0.9 * bound < weight.abs().max() <= bound
        assert (bias == 0.1).all()
    for weight, bias in (*first.parts.probabilities, *first.parts.output):
        assert 0 < bias.abs().max() <= 3e-3
        assert 2.5e-3 < weight.abs().max() <= 3e-3
    bound = (4 if init == "fan_in" else 30) ** -0.5
    assert 0.9 * bound < first.tasks.abs().max() <= bound


def agent(n_tasks: int = 3, norm: bool = False, **ours) -> Agent:
    sizes = {"encoder_sizes": [61, 45], "routing_size": 33, "module_size": 52, **ours}
    tasks = {"tasks": None, "benchmark": "MT10", "n_tasks": n_tasks}
    return make_agent(
        small_config(method="soft_modularization", env=tasks, soft_modularization=sizes, network={"layer_norm": norm}),
        CPU,
    )


@pytest.mark.parametrize("n_tasks", [1, 3, 10])
def test_the_policy_acts_in_numpy_as_it_does_in_torch_and_alike_in_any_company(n_tasks):
    for ours in ({}, {"size": "deep", "module_size": 17}):
        for norm in (False, True):
            assert_acts_in_numpy_as_in_torch(agent(n_tasks, norm, **ours))


def test_tasks_whose_temperature_is_low_count_more():
    made = agent()
    with torch.no_grad():
        made.log_alpha.copy_(torch.tensor([0.0, -math.log(2), -math.log(5)]))
    weights = made.weighting.weights(torch.zeros(3, 8), torch.zeros(2, 3, 8)).policy
    torch.testing.assert_close(weights, torch.tensor([3 / 8, 6 / 8, 15 / 8]))
    assert float(weights.mean()) == pytest.approx(1)
    assert not weights.requires_grad
    assert agent(weighted_losses=False).weighting.weights(torch.zeros(3, 8), torch.zeros(2, 3, 8)) == TaskWeights()
    assert agent(1).weighting.weights(torch.zeros(1, 8), torch.zeros(2, 1, 8)).policy.tolist() == [1]


def test_weights_change_what_a_step_does():
    plain, weighted = agent(weighted_losses=False), agent()
    for each in (plain, weighted):
        with torch.no_grad():
            each.log_alpha.copy_(torch.tensor([0.0, -1.0, -3.0]))
        assert each.gradient_step(random_batch(3, 8)).isfinite().all()
    assert not torch.equal(plain.policy.flat, weighted.policy.flat)


def test_sizes_are_those_of_the_networks():
    made = agent(3, encoder_sizes=[10, 6], routing_size=5, size="deep", n_layers=3, n_modules=2, module_size=7)
    weights = 39 * 10 + 10 * 6 + 6 * 5 + 5 * 5 + 2 * 5 * 4 + 5 * 2 + 4 * 5 + 8 * 5 + 2 * 6 * 7 + 2 * 2 * 7 * 7 + 7 * 8
    biases = 10 + 6 + 5 + 5 + 4 + 4 + 2 + 5 + 5 + 3 * 2 * 7 + 8
    sizes = made.sizes()
    assert sizes["policy_parameters"] == weights + biases + 3 * 6 == made.policy.flat.numel()
    assert sizes["policy_parameters_kept"] == weights + biases + 6
    assert sizes["flops_per_action"] == 2 * (weights + 6)
    assert sizes["q_parameters"] == weights + biases + 3 * 6 + 4 * 10 - 7 * 7 - 7
