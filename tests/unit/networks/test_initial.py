"""Initial parameters: `he` keeps activations equally large; the other rules draw the numbers that they always drew."""

from __future__ import annotations

import hashlib
import math

import pytest
import torch

from must.algorithms import make_agent
from must.masks import MaskLayout
from must.methods.soft_modularization.network import ModularNetwork
from must.methods.t3s.network import SelectedNetwork
from must.networks import HiddenLayers, MaskedMLP, task_inputs
from must.networks.initial import LayerShape
from tests.support.agents import CPU
from tests.support.helpers import random_masks, small_config
from tests.support.methods import settings

N_TASKS, IN_DIM, HIDDEN = 10, 39, [400, 300, 400]


def pre_activations(granularity: str, ratio: float) -> list[torch.Tensor]:
    """Return those of each hidden layer (K, B, H) of tasks' networks under random masks, at inputs of variance 1."""
    torch.manual_seed(0)
    inputs = task_inputs(HIDDEN, IN_DIM, N_TASKS, granularity, ratio)
    network = MaskedMLP(1, IN_DIM, N_TASKS, HIDDEN, 8, HiddenLayers("he", inputs))
    masks = None
    if ratio > 0:
        layout = MaskLayout(granularity, IN_DIM, 8, network.weight_shapes, mask_biases=False)
        masks = random_masks(layout, ratio, 1, N_TASKS)
    function = network.task_parameters(masks)
    hidden, found = torch.randn(N_TASKS, 256, IN_DIM), []
    for weight, bias in list(zip(function.weights, function.biases, strict=True))[:-1]:
        found.append(hidden @ weight[0] + bias[0][:, None])
        hidden = found[-1].relu()
    return found


@torch.no_grad()
@pytest.mark.parametrize("ratio", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("granularity", ["neuron", "weight"])
def test_pre_activations_are_equally_large_in_every_layer_whatever_is_pruned(granularity, ratio):
    for values in pre_activations(granularity, ratio):
        assert float(values.square().mean()) == pytest.approx(2, rel=0.15)  # halved by the ReLU


def test_the_inputs_of_a_task_by_hand():
    assert task_inputs([20, 30, 40], 9, 5) == (10, 20, 30)
    assert task_inputs([20, 30, 40], 9, 0) == (9, 20, 30)
    assert task_inputs([20], 9, 1) == (10,)
    assert task_inputs([20, 30, 40], 9, 5, "neuron", 0.9) == (10, 2, 3)
    assert task_inputs([20, 30, 40], 9, 5, "neuron", 0.999) == (10, 1, 1)
    assert task_inputs([20, 30], 9, 5, "weight", 0.9) == pytest.approx((1, 2))
    assert task_inputs([3, 2], 1, 1, "weight", 0.5) == (2 * 3 / 6, 3 * 3 / 6)


def assert_is_he(weights: torch.Tensor, biases: torch.Tensor, inputs: float) -> None:
    bound = math.sqrt(6 / inputs)
    assert 0.9 * bound < weights.abs().max() <= bound
    assert float(weights.std()) == pytest.approx(bound / math.sqrt(3), rel=0.1)
    assert not biases.any()


@torch.no_grad()
@pytest.mark.parametrize(
    ("method", "masks", "inputs"),
    [
        ("mt_sac", {}, (40, 60)),
        ("mtmh_sac", {}, (40, 60)),
        ("must", {"granularity": "neuron", "pruning_ratio": 0.9}, (40, 6)),
        ("must", {"granularity": "weight", "pruning_ratio": 0.9}, (4, 6)),
        ("must", {"granularity": "weight", "pruning_ratio": 0.0}, (40, 60)),
        ("static_sparse", {"granularity": "neuron", "pruning_ratio": 0.5}, (40, 30)),
        ("shared_sparse", {"granularity": "weight", "pruning_ratio": 0.5}, (20, 30)),
        ("magnitude", {"pruning_ratio": 0.9}, (40, 60)),  # it starts dense
    ],
)
def test_agents_of_perceptrons_count_the_inputs_that_their_tasks_have(method, masks, inputs):
    agent = make_agent(small_config(**settings(method, masks=masks, network={"hidden_sizes": [60, 80]})), CPU)
    for network, more in ((agent.policy, 0), (agent.critic, 4)):
        first = inputs[0] * (1 + more / 40)
        for layer, n in enumerate((first, inputs[1])):
            assert_is_he(network.weights[layer], network.biases[layer], n)
        assert max(network.weights[-1].abs().max(), network.biases[-1].abs().max()) <= 3e-3


@torch.no_grad()
@pytest.mark.parametrize("method", ["single_task", "paco"])
def test_perceptrons_without_a_one_hot_have_the_observation_alone(method):
    agent = make_agent(small_config(**settings(method, network={"hidden_sizes": [60, 80]})), CPU)
    function = agent.policy.task_parameters(None)
    for layer, n in enumerate((39, 60)):
        assert_is_he(function.weights[layer], function.biases[layer], n)
    assert 0 < function.biases[-1].abs().max() <= 3e-3


@torch.no_grad()
def test_modular_networks():
    torch.manual_seed(0)
    network = ModularNetwork(2, 50, 4, 3, (2, 3, 40), [60, 30], 20, HiddenLayers("he"))
    parts, tasks = network.task_parameters(None).members[0]
    for weight, bias in (*parts.encoder, *parts.routing, *parts.past, *parts.modules):
        assert_is_he(weight, bias, weight.shape[1])
    for weight, bias in (*parts.probabilities, *parts.output):
        assert 0 < bias.abs().max() <= 3e-3
        assert 2.5e-3 < weight.abs().max() <= 3e-3
    assert_is_he(tasks, torch.zeros(1), 1)  # of the one-hot a task has one row


@torch.no_grad()
def test_selectors_and_extractors_are_spread_as_ordinary_layers_are():
    torch.manual_seed(0)
    network = SelectedNetwork(2, 50, 4, [60, 40], 8, [30, 20], 30, HiddenLayers("he"))
    for member in network.task_parameters(None).members:
        for weight, bias in member.trunk:
            assert_is_he(weight, bias, weight.shape[1])
        for weight, bias in (*member.selector, *member.extractor[:1]):
            assert float(weight.std()) == pytest.approx(math.sqrt(2 / weight.shape[1]), rel=0.05)
            assert not bias.any()
        for values in member.extractor[1]:
            assert float(values.std()) == pytest.approx(3e-3 / math.sqrt(3), rel=0.25)


def test_the_rules_of_one_layer():
    torch.manual_seed(0)
    shape = LayerShape(3, 50, 20, task_inputs=5)
    for init, bound, bias in (("he", (6 / 5) ** 0.5, 0), ("fan_in", 50**-0.5, 0.1), ("original", 20**-0.5, 0.1)):
        weights, biases = shape.draw(2, init)
        assert weights.shape == (2, 3000)
        assert 0.99 * bound < weights.abs().max() <= bound
        assert torch.equal(biases, torch.full((2, 60), bias))
    for values in shape._replace(final=True).draw(2, "he"):
        assert 2.8e-3 < values.abs().max() <= 3e-3


PINNED = {
    ("mt_sac", "fan_in"): "06261b731485ac4f",
    ("mt_sac", "original"): "b773206d17e488b8",
    ("must", "fan_in"): "06261b731485ac4f",
    ("must", "original"): "b773206d17e488b8",
    ("mtmh_sac", "fan_in"): "237236f239fd1342",
    ("mtmh_sac", "original"): "b2f5d3185369fecc",
    ("single_task", "fan_in"): "a99a7526ddfa23d2",
    ("single_task", "original"): "cea87d447e84383a",
    ("paco", "fan_in"): "7618ae481f087c8e",
    ("paco", "original"): "4dbee8755686c00c",
    ("soft_modularization", "fan_in"): "ceaa24f8cb8d1340",
    ("soft_modularization", "original"): "29c2187f56dc0a4b",
    ("t3s", "fan_in"): "a316198d2a3e4a81",
    ("t3s", "original"): "7253a2642276b763",
}
"""SHA-256 of the initial parameters of policy and Q networks, as they were before there was `he`."""


@pytest.mark.parametrize(("method", "init"), PINNED)
def test_the_other_rules_draw_the_same_numbers_as_ever(method, init):
    agent = make_agent(small_config(**settings(method, network={"init": init})), CPU)
    drawn = torch.cat([network.flat.detach().flatten() for network in (agent.policy, agent.critic)])
    assert hashlib.sha256(drawn.numpy().tobytes()).hexdigest()[:16] == PINNED[method, init]
