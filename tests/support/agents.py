"""Agents of every kind of masks, and what tests ask about their parameters."""

import torch

from must.algorithms import Agent, make_agent
from must.methods.must.masks import GeneratedMasks
from tests.support.helpers import merged, random_trajectories, small_config

CPU = torch.device("cpu")


KINDS = {
    "dense": {"masks": {"pruning_ratio": 0}},
    "neuron": {"masks": {"granularity": "neuron"}},
    "weight, dense head": {"masks": {"granularity": "weight"}, "generator": {"head": "dense"}},
    "weight, factorised head": {"masks": {"granularity": "weight"}, "generator": {"head": "factorised"}},
    "weight and bias": {"masks": {"granularity": "weight", "mask_biases": True}},
    "softmax": {"masks": {"granularity": "weight", "relaxation": "softmax"}},
}


def make(n_tasks: int = 3, **sections) -> Agent:
    agent = make_agent(small_config(**merged({"env": {"n_tasks": n_tasks}}, sections)), CPU)
    if isinstance(agent.masks, GeneratedMasks):
        agent.masks.publish_initial(random_trajectories(agent.n_tasks))
    return agent


def parameters(module: torch.nn.Module) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in module.parameters()]


def moved(before: list[torch.Tensor], module: torch.nn.Module) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))


def assert_same(a, b) -> None:
    assert type(a) is type(b)
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert a == b
