"""Orthogonal experts against a plain reference: one observation of one task at a time, torch's own QR decomposition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from must.algorithms import make_agent
from must.errors import ConfigError
from must.methods.moore.network import ExpertsNetwork, orthonormal
from must.methods.moore.policy import orthonormal as orthonormal_in_numpy
from must.networks import HiddenLayers
from tests.support.agents import CPU
from tests.support.helpers import small_config
from tests.support.method_checks import (
    NORMS,
    assert_acts_in_numpy_as_in_torch,
    assert_batches_have_gradients_of_their_own,
    assert_matches,
    normalised,
    random_tensor,
)

IN_DIM, OUT_DIM, EXPERTS = 5, 3, 4
SIZES = pytest.mark.parametrize(("n_members", "n_tasks"), [(1, 1), (2, 3), (1, 10)])
HIDDEN = pytest.mark.parametrize("hidden", [[9, 7], [10], [6, 5, 8]])


def make(n_members: int, n_tasks: int, hidden: list[int], norm: bool = False) -> ExpertsNetwork:
    torch.manual_seed(0)
    layers = HiddenLayers(layer_norm=norm)
    network = ExpertsNetwork(n_members, IN_DIM, n_tasks, hidden, OUT_DIM, EXPERTS, layers).double()
    with torch.no_grad():  # equal biases would hide one that is taken from the wrong place
        network.flat += 0.3 * torch.randn(network.flat.shape, dtype=torch.float64)
    return network


def member(flat: torch.Tensor, observation: torch.Tensor, task: int, n_tasks: int, hidden: list[int], norm: bool):
    """Evaluate one member for one observation."""
    position, vectors = 0, [observation] * EXPERTS

    def take(*shape: int) -> torch.Tensor:
        nonlocal position
        found = flat[position : position + int(np.prod(shape))].view(shape)
        position += found.numel()
        return found

    for layer, (fan_in, fan_out) in enumerate(itertools.pairwise((IN_DIM, *hidden))):
        weights, biases = take(EXPERTS, fan_in, fan_out), take(EXPERTS, fan_out)
        if layer > 0:
            vectors = [(normalised(vector) if norm else vector).relu() for vector in vectors]
        vectors = [vector @ weight + bias for vector, weight, bias in zip(vectors, weights, biases, strict=True)]
    heads, head_biases = take(n_tasks, hidden[-1], OUT_DIM), take(n_tasks, OUT_DIM)
    shares = take(n_tasks, EXPERTS)[task]
    assert position == len(flat)
    directions, triangle = torch.linalg.qr(torch.stack(vectors, dim=1))
    basis = directions * triangle.diagonal().sign()  # Gram and Schmidt's keep the sign of the vector
    return (basis @ shares).tanh() @ heads[task] + head_biases[task]


@NORMS
@HIDDEN
@SIZES
def test_outputs_and_gradients_are_those_of_a_plain_implementation(n_members, n_tasks, hidden, norm):
    network = make(n_members, n_tasks, hidden, norm)

    def reference(inputs: torch.Tensor) -> torch.Tensor:
        return torch.stack(
            [
                torch.stack(
                    [
                        torch.stack([member(flat, row, task, n_tasks, hidden, norm) for row in inputs[task]])
                        for task in range(n_tasks)
                    ]
                )
                for flat in network.flat
            ]
        )

    inputs_shape = n_tasks, 3, IN_DIM
    # Lengths are taken of the square plus a tiny number, which the reference leaves out.
    assert_matches(network, reference, inputs_shape, exact=1e-9)
    assert_batches_have_gradients_of_their_own(network, reference, inputs_shape, exact=1e-9)


def test_what_the_experts_say_of_an_observation_is_orthonormal():
    vectors = random_tensor(EXPERTS, 6, 9, seed=0)
    basis = orthonormal(vectors)
    products = torch.einsum("irh,jrh->rij", basis, basis)
    torch.testing.assert_close(products, torch.eye(EXPERTS, dtype=torch.float64).expand(6, -1, -1), atol=1e-9, rtol=0)
    first = vectors[0] / vectors[0].norm(dim=1, keepdim=True)
    torch.testing.assert_close(basis[0], first)
    in_numpy = orthonormal_in_numpy(vectors.transpose(0, 1).numpy())
    np.testing.assert_allclose(in_numpy, basis.transpose(0, 1).numpy(), rtol=1e-6)


def agent(n_tasks: int = 3, hidden: tuple[int, ...] = (61, 45), n_experts: int = EXPERTS, norm: bool = False):
    tasks = {"tasks": None, "benchmark": "MT10", "n_tasks": n_tasks}
    network = {"hidden_sizes": list(hidden), "layer_norm": norm}
    return make_agent(small_config(method="moore", env=tasks, network=network, moore={"n_experts": n_experts}), CPU)


@pytest.mark.parametrize("n_tasks", [1, 3, 10])
def test_the_policy_acts_in_numpy_as_it_does_in_torch_and_alike_in_any_company(n_tasks):
    for hidden in ((61, 45, 80), (33,)):
        for norm in (False, True):
            assert_acts_in_numpy_as_in_torch(agent(n_tasks, hidden, norm=norm))


def test_sizes_are_those_of_the_networks():
    sizes = agent(3, (10, 6)).sizes()
    experts, biases = EXPERTS * (39 * 10 + 10 * 6), EXPERTS * (10 + 6)
    assert sizes["policy_parameters"] == experts + biases + 3 * (6 * 8 + 8 + EXPERTS)
    assert sizes["policy_parameters_kept"] == experts + biases + 6 * 8 + 8 + EXPERTS
    assert sizes["flops_per_action"] == 2 * (experts + 6 * 8 + EXPERTS)


def test_more_experts_than_features_are_refused():
    with pytest.raises(ConfigError, match="n_experts: 7 vectors of 6 features"):
        agent(3, (10, 6), 7)
