"""Initial parameters, by the same rule for every kind of network."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from must.masks import kept

Init = Literal["he", "fan_in", "original"]
FINAL_BOUND = 3e-3
"""Bound of the uniform initial weights and biases of an output layer."""


@dataclass(frozen=True)
class HiddenLayers:
    """What the hidden layers of all kinds of networks have in common beside their widths."""

    init: Init = "he"
    """See `LayerShape.draw`."""
    task_inputs: tuple[float, ...] | None = None
    """Inputs of each hidden layer of a perceptron that a task has under its masks; None: it has all of them."""
    layer_norm: bool = False
    """Whether what goes into each ReLU is normalised over the units of its layer (`must.networks.norm`)."""


DEFAULT = HiddenLayers()
_global_generator = threading.Lock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generator (the CPU's), from which initial parameters are drawn; put back what it was.

    Other threads that want to do so wait.
    """
    with _global_generator, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


class LayerShape(NamedTuple):
    """N linear layers of the same shape, which see different inputs or belong to different tasks."""

    n_sets: int
    """N"""
    fan_in: int
    fan_out: int
    final: bool = False
    """Whether its outputs should be almost 0 at first."""
    task_inputs: float | None = None
    """Inputs that are not 0 or pruned for a task, where it is not all of ``fan_in``: of a one-hot it has one."""

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of weights and of biases."""
        return self.n_sets * self.fan_in * self.fan_out, self.n_sets * self.fan_out

    def draw(self, n_members: int, init: Init) -> tuple[Tensor, Tensor]:
        """Draw initial parameters from torch's global generator.

        The weights are uniform in a bound, which is 3e-3 for a final layer (and for its biases). In a hidden layer,

        - ``he``: sqrt(6 / n), n the inputs that a task has; the biases are 0. Activations are then equally large in
          every layer of the network that a task uses, however much of it is pruned (arXiv 1502.01852).
        - ``fan_in``: 1/sqrt(fan-in), whatever is pruned of it; the biases are 0.1.
        - ``original``: 1/sqrt(fan-out); the biases are 0.1.

        Args:
            n_members: E.
            init: The rule.

        Returns:
            Weights (E, N D_in D_out) and biases (E, N D_out).
        """
        n_weights, n_biases = self.sizes
        weights, biases = torch.empty(n_members, n_weights), torch.empty(n_members, n_biases)
        if self.final:
            nn.init.uniform_(weights, -FINAL_BOUND, FINAL_BOUND)
            nn.init.uniform_(biases, -FINAL_BOUND, FINAL_BOUND)
        else:
            bound = self._bound(init)
            nn.init.uniform_(weights, -bound, bound)
            nn.init.constant_(biases, 0 if init == "he" else 0.1)
        return weights, biases

    def _bound(self, init: Init) -> float:
        if init == "he":
            return math.sqrt(6 / (self.task_inputs or self.fan_in))
        return 1 / math.sqrt(self.fan_in if init == "fan_in" else self.fan_out)


def task_inputs(
    hidden_sizes: Sequence[int],
    in_dim: int,
    n_tasks: int,
    granularity: Literal["weight", "neuron"] = "weight",
    pruning_ratio: float = 0.0,
) -> tuple[float, ...]:
    """Count the inputs of each hidden layer that a task has in a perceptron, under its masks.

    The first layer has the observation and the task's own row of the one-hot. Where whole units are pruned, the others
    have the kept units of the layer before. Where single weights are, a unit has a mean of all inputs times the kept
    share of the layer's weights.

    Args:
        hidden_sizes: Units of each hidden layer.
        in_dim: Features of the input, without the one-hot.
        n_tasks: K, or 0 for networks without the one-hot.
        granularity: What is pruned.
        pruning_ratio: Share of the elements that a mask leaves out; 0 is the dense network.
    """
    dense = (in_dim + min(n_tasks, 1), *hidden_sizes[:-1])
    if granularity == "neuron":
        return (dense[0], *(kept(width, pruning_ratio) for width in dense[1:]))
    sizes = [math.prod(shape) for shape in pairwise((in_dim + n_tasks, *hidden_sizes))]
    return tuple(n * kept(size, pruning_ratio) / size for n, size in zip(dense, sizes, strict=True))
