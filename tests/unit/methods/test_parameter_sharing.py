"""MT-SAC, a head for each task, a network for each task, composed networks: what is shared, and what is not."""

from __future__ import annotations

import csv
import math
from functools import partial
from itertools import pairwise

import pytest
import torch

from must.algorithms import make_agent
from must.algorithms.masking import MaskSource
from must.methods.mtmh_sac.network import MultiHeadMLP
from must.methods.paco.network import CompositionalMLP
from must.methods.single_task.network import SeparateMLPs
from must.networks import BaseNetwork, HiddenLayers
from must.training import train
from must.types import OBS_DIM
from tests.support.agents import CPU
from tests.support.helpers import random_batch, small_config
from tests.support.method_checks import NORMS, assert_batches_have_gradients_of_their_own, assert_matches, normalised
from tests.support.methods import learn, settings


def make(method: str, n_tasks: int = 3, **sections):
    return make_agent(small_config(**settings(method, n_tasks, **sections)), CPU)


SPARSE = ("must", "static_sparse", "shared_sparse", "magnitude")
DENSE = {"masks": {"pruning_ratio": 0}}


@pytest.mark.parametrize("sparse", SPARSE)
def test_without_pruning_there_is_nothing_but_mt_sac(sparse):
    assert type(make(sparse, **DENSE).masks) is MaskSource
    assert type(make("mt_sac").masks) is MaskSource
    assert type(make(sparse).masks) is not MaskSource


def test_without_pruning_a_run_is_mt_sac_bit_for_bit(tmp_path):
    train(small_config(method="mt_sac"), tmp_path / "mt_sac")
    train(small_config(**DENSE), tmp_path / "dense")
    for name in ("eval.csv", "train.csv", "masks.csv"):
        assert (tmp_path / "mt_sac" / name).read_bytes() == (tmp_path / "dense" / name).read_bytes()
    policies = [torch.load(tmp_path / run / "final.pt")["policy"] for run in ("mt_sac", "dense")]
    assert all(torch.equal(policies[0][name], policies[1][name]) for name in policies[0])


SIZES = (9, 7)
KINDS = {"heads": MultiHeadMLP, "separate": SeparateMLPs, "composed": partial(CompositionalMLP, n_sets=3)}


def perceptron(flat: torch.Tensor, widths: tuple[int, ...], inputs: torch.Tensor, norm: bool) -> torch.Tensor:
    """Evaluate a perceptron whose weights, then biases, are one row."""
    shapes = list(pairwise(widths))
    *weights, biases = flat.split([*(math.prod(shape) for shape in shapes), sum(widths[1:])])
    for layer, (shape, weight, bias) in enumerate(zip(shapes, weights, biases.split(widths[1:]), strict=True)):
        hidden = normalised(inputs).relu() if norm else inputs.relu()
        inputs = (hidden if layer else inputs) @ weight.view(shape) + bias
    return inputs


def plain(kind: str, network: BaseNetwork, inputs: torch.Tensor, norm: bool) -> torch.Tensor:
    """Evaluate each member and task by itself: (E, K, B, D_out)."""
    n_tasks, rows, in_dim = inputs.shape

    def of_task(member: torch.Tensor, task: int) -> torch.Tensor:
        if kind == "heads":
            told = torch.cat((inputs[task], torch.eye(n_tasks, dtype=inputs.dtype)[task].expand(rows, -1)), dim=1)
            return perceptron(member, (in_dim + n_tasks, *SIZES, 2 * n_tasks), told, norm)[:, 2 * task : 2 * task + 2]
        if kind == "separate":
            return perceptron(member[task], (in_dim, *SIZES, 2), inputs[task], norm)
        shares = member[-3 * n_tasks :].view(n_tasks, 3)[task]
        sets = member[: -3 * n_tasks].view(3, -1)
        own = sum(share * parameters for share, parameters in zip(shares, sets, strict=True))
        return perceptron(own, (in_dim, *SIZES, 2), inputs[task], norm)

    members = [torch.stack([of_task(member, task) for task in range(n_tasks)]) for member in network.flat]
    return torch.stack(members)


@pytest.mark.parametrize("n_members", [1, 2])
@pytest.mark.parametrize("n_tasks", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
@NORMS
def test_outputs_and_gradients_are_those_of_plain_perceptrons(norm, kind, n_tasks, n_members):
    torch.manual_seed(0)
    network = KINDS[kind](n_members, 5, n_tasks, SIZES, 2, hidden=HiddenLayers(layer_norm=norm)).double()
    network.flat.data += 0.3 * torch.randn_like(network.flat)  # so that nothing of it is alike
    reference = lambda inputs: plain(kind, network, inputs, norm)  # noqa: E731
    assert_matches(network, reference, (n_tasks, 4, 5))
    assert_batches_have_gradients_of_their_own(network, reference, (n_tasks, 4, 5))


def test_a_task_has_a_gradient_of_the_trunk_and_its_own_head_only():
    network = make("mtmh_sac").policy
    network.task_parameters(None).forward(torch.randn(3, 5, OBS_DIM))[0, 1].sum().backward()
    *trunk, head = network.weights
    grad = network.flat.grad
    sizes = [weight[0].numel() for weight in network.weights]
    parts = grad[0, : sum(sizes)].split(sizes)
    assert all(part.any() for part in parts[: len(trunk)])
    of_head = parts[-1].view(head.shape[1], 3, 8)
    assert of_head[:, 1].any()
    assert not of_head[:, [0, 2]].any()


def test_a_trunk_with_one_head_is_mt_sac():
    agents = [make(method, 1) for method in ("mtmh_sac", "mt_sac")]
    for agent in agents:
        agent.gradient_step(random_batch(1, 8))
    assert torch.equal(agents[0].policy.flat, agents[1].policy.flat)
    assert agents[0].sizes() == agents[1].sizes()


def test_single_task_is_separate_agents_side_by_side():
    """A step of K tasks is K steps of one task each, from the same parameters, rows and noise."""
    together = make("single_task", 3, sac={"max_grad_norm": 1e-2})
    alone = [make("single_task", 1, sac={"max_grad_norm": 1e-2}) for _ in range(3)]
    for task, agent in enumerate(alone):
        for network in ("policy", "critic", "target_critic"):
            getattr(agent, network).flat.data.copy_(getattr(together, network).flat.data[:, task : task + 1])
    for step in range(3):
        batch = random_batch(3, 8, seed=step)
        noise = torch.randn((2, 3, 8, 4), generator=torch.Generator().manual_seed(step))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch, "randn", lambda *_, noise=noise, **__: noise)
            together.gradient_step(batch)
        for task, agent in enumerate(alone):
            own, rows = noise[:, task : task + 1], type(batch)(*(part[task : task + 1] for part in batch[:4]))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(torch, "randn", lambda *_, own=own, **__: own)
                agent.gradient_step(rows)
    for task, agent in enumerate(alone):
        torch.testing.assert_close(agent.log_alpha, together.log_alpha[task : task + 1], rtol=1e-5, atol=1e-7)
        for network in ("policy", "critic", "target_critic"):
            ours = getattr(together, network).flat[:, task : task + 1]
            torch.testing.assert_close(ours, getattr(agent, network).flat, rtol=1e-4, atol=1e-6)


def test_another_tasks_rows_change_nothing_in_single_task():
    agents = [make("single_task") for _ in range(2)]
    batch = random_batch(3, 8)
    other = type(batch)(*(part.clone() for part in batch[:4]))
    for part in other[:4]:
        part[2] = 7
    agents[0].gradient_step(batch)
    agents[1].gradient_step(other)
    assert torch.equal(agents[0].policy.flat[:, :2], agents[1].policy.flat[:, :2])
    assert not torch.equal(agents[0].policy.flat[:, 2], agents[1].policy.flat[:, 2])


def test_composed_parameters_are_the_weighted_sum_of_the_sets():
    agent = make("paco")
    learn(agent, range(1, 3))
    network = agent.policy
    composed = network.task_parameters(None).flat
    for task in range(3):
        expected = sum(network.mixture[0, task, number] * network.sets[0, number] for number in range(3))
        torch.testing.assert_close(composed[0, task], expected)
    with torch.no_grad():  # a task that uses one set alone is that set
        network.mixture[0, 1] = torch.tensor([0.0, 1.0, 0.0])
    assert torch.equal(network.task_parameters(None).flat[0, 1], network.sets[0, 1])


def test_every_task_starts_with_the_same_ordinary_network_and_shares_that_sum_to_1():
    network = make("paco").critic
    assert torch.allclose(network.mixture.sum(2), torch.ones(2, 3))
    assert (network.mixture >= 0).all()
    composed = network.task_parameters(None).flat
    torch.testing.assert_close(composed, network.sets[:, :1].expand_as(composed), rtol=1e-4, atol=1e-6)


def test_a_task_whose_loss_explodes_is_left_out_and_starts_with_a_mixture_of_the_others():
    agent = make("paco", paco={"loss_threshold": 50})
    learn(agent, range(1, 2))
    batch = random_batch(3, 8)
    batch.rewards[1] = 1000
    twin = make("paco", paco={"loss_threshold": 50})
    learn(twin, range(1, 2))
    before = agent.policy.mixture.detach().clone()
    agent.gradient_step(batch)
    batch.rewards[1] = 2000
    twin.gradient_step(batch)
    assert torch.equal(agent.policy.flat, twin.policy.flat), "what the lost task saw teaches nothing"
    after = agent.policy.mixture.detach()
    step = 2 * agent.config.sac.lr
    assert (after[0, [0, 2]] - before[0, [0, 2]]).abs().max() < step
    low, high = after[0, [0, 2]].amin(0), after[0, [0, 2]].amax(0)
    assert ((after[0, 1] >= low - 1e-6) & (after[0, 1] <= high + 1e-6)).all(), "a mixture of the others' weights"
    assert agent.end_learning(2) == {"restarted_tasks": 1.0}
    assert agent.end_learning(3) == {"restarted_tasks": 0.0}


def test_when_all_tasks_explode_the_weights_stay():
    agent = make("paco", paco={"loss_threshold": 1e-9})
    before = agent.policy.mixture.detach().clone()
    agent.gradient_step(random_batch(3, 8))
    assert torch.equal(agent.policy.mixture, before)
    assert agent.end_learning(1) == {"restarted_tasks": 0.0}


def test_what_only_one_method_reports_is_in_its_log(tmp_path):
    train(small_config(**settings("paco")), tmp_path / "run")
    with (tmp_path / "run" / "train.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[-1]["restarted_tasks"] == "0"
    assert rows[0]["restarted_tasks"] == ""  # pretraining
