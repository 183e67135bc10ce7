"""Masks of gradual magnitude pruning (arXiv 1710.01878; in multi-task RL arXiv 2508.06871)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from must.algorithms import NETWORKS, Agent, CutMasks
from must.algorithms.masking import perceptron
from must.config import RunConfig
from must.errors import ConfigError
from must.masks import MaskLayout, MaskSet, WeightMasks, kept, top_k_mask
from must.methods.magnitude import MagnitudeConfig
from must.networks import MaskedMLP, TaskSize
from must.types import Trajectories


class MagnitudeMasks(CutMasks):
    """The smallest weights are cut away little by little, the same for all tasks.

    Every layer of a network is pruned to the same sparsity, the output layer too (all tasks' heads are one layer);
    biases are not. A weight that was cut is 0 from then on: it gets no gradient, its optimizer's momentum is cleared,
    and it never comes back.
    """

    columns = ("sparsity",)
    shared = True
    from_the_start = False

    def __init__(self, agent: Agent) -> None:
        """Start with dense networks."""
        super().__init__(agent)
        self._own = self._config.section(MagnitudeConfig)
        self._policy, self._critic = perceptron(agent.policy), perceptron(agent.critic)
        self._sparsity = 0.0
        if self._own.budget == "parameters":
            pruned = [self._policy, self._critic] if self.n_masked > 1 else [self._policy]
            self._left = {network: self._equal_parameters(network) for network in pruned}

    def before_epoch(self, number: int, trajectories: Callable[[], Trajectories | None]) -> None:  # noqa: ARG002
        """Take a step of the schedule, where one is due."""
        if pruning_is_due(number, self._config):
            progress = progress_at(number, self._config)
            pruned = self._prune("policy", self._policy, progress)
            self._sparsity = self._sparsity_of(self._policy, progress)
            of_critic = self._prune("critic", self._critic, progress) if self.n_masked > 1 else None
            self.mask_set = MaskSet(self.mask_set.version + 1, pruned, of_critic, shared=True)

    def end_learning(self, number: int) -> dict[str, Any]:  # noqa: ARG002
        """Return how sparse the policy is."""
        return {"sparsity": self._sparsity}

    @torch.no_grad()
    def _prune(self, name: str, network: MaskedMLP, progress: float) -> WeightMasks:
        """Cut a network's smallest weights; return what is left."""
        masks = largest(network.weights, self._counts(network, progress))
        network.flat[:, : masks.elements.shape[2]] *= masks.elements[:, 0]
        for state in self._agent.optimizers[name].state.values():
            state["exp_avg"][:, : masks.elements.shape[2]] *= masks.elements[:, 0]
        return masks

    def _counts(self, network: MaskedMLP, progress: float) -> list[int]:
        """Return how many weights of each layer are left, at a progress from 0 to 1 of the schedule."""
        sizes = [math.prod(shape) for shape in network.weight_shapes]
        if self._own.budget == "ratio":
            return [kept(size, progress * self._config.masks.pruning_ratio) for size in sizes]
        left = self._left[network]
        return [size - round(progress * (size - last)) for size, last in zip(sizes, left, strict=True)]

    def _sparsity_of(self, network: MaskedMLP, progress: float) -> float:
        """Return the share of a network's weights that is cut, before counts of layers are rounded if by ratio."""
        if self._own.budget == "ratio":
            return progress * self._config.masks.pruning_ratio
        return 1 - sum(self._counts(network, progress)) / sum(math.prod(shape) for shape in network.weight_shapes)

    def _equal_parameters(self, network: MaskedMLP) -> list[int]:
        """Return how many weights of each layer are left in the end, for as many parameters as under a task's masks."""
        sizes = [math.prod(shape) for shape in network.task_weight_shapes]
        biases = network.task_size().biases
        masks = self._config.masks
        parameters = sum(super().layout(network).kept_parameters(masks.pruning_ratio))
        if parameters - biases < len(sizes):
            raise ConfigError(
                f"magnitude.budget: parameters: a task's network under masks.granularity: {masks.granularity} and "
                f"masks.pruning_ratio: {masks.pruning_ratio:g} has {parameters} parameters, but magnitude pruning "
                f"keeps the {biases} biases and a weight of each layer: use a lower ratio, or magnitude.budget: ratio"
            )
        *others, head = shares(sizes, parameters - biases)
        return [*others, head * _heads(network)]

    def layout(self, network: MaskedMLP) -> MaskLayout:
        """Return what is masked in a network: all weights of all tasks."""
        return MaskLayout("weight", network.in_dim, network.out_dim, network.weight_shapes, mask_biases=False)

    @classmethod
    def count_masked(cls, config: RunConfig) -> int:
        """Count how many of `NETWORKS` are pruned."""
        return 1 if config.section(MagnitudeConfig).networks == "actor" else len(NETWORKS)

    def task_sizes(self) -> tuple[TaskSize, TaskSize]:
        """Count what is left in the end for a task, of heads the mean over the tasks."""
        both = self.n_masked > 1
        return self._size_left(self._policy), self._size_left(self._critic) if both else self._critic.task_size()

    def _size_left(self, network: MaskedMLP) -> TaskSize:
        *others, last = self._counts(network, 1.0)
        return TaskSize(sum(others) + last // _heads(network), network.task_size().biases)

    def state(self) -> dict[str, Any]:
        """Return the sparsity."""
        return {"sparsity": self._sparsity}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state` returned."""
        self._sparsity = state["sparsity"]


def _heads(network: MaskedMLP) -> int:
    """Count the heads in a network's output layer."""
    return network.out_dim // network.task_out_dim


def magnitude_masks(weights: list[Tensor], sparsity: float) -> WeightMasks:
    """Keep the largest weights of every layer, in absolute value.

    Args:
        weights: For each layer (E, D_in, D_out).
        sparsity: Share of each layer's weights that is cut.

    Returns:
        Masks (E, 1, n) that all tasks share.
    """
    return largest(weights, [kept(weight[0].numel(), sparsity) for weight in weights])


def largest(weights: list[Tensor], counts: list[int]) -> WeightMasks:
    """Keep so many of the largest weights of every layer; see `magnitude_masks`."""
    chosen = [top_k_mask(weight.abs().flatten(1), count) for weight, count in zip(weights, counts, strict=True)]
    return WeightMasks(torch.cat(chosen, dim=1).unsqueeze(1))


def shares(sizes: Sequence[int], total: int) -> list[int]:
    """Divide a total among layers in proportion to their sizes, at least 1 each; the sum is exact.

    Args:
        sizes: Weights of each layer.
        total: From the number of layers to the sum of the sizes.
    """
    exact = [total * size / sum(sizes) for size in sizes]
    counts = [max(1, math.floor(share)) for share in exact]
    while sum(counts) != total:
        step = 1 if sum(counts) < total else -1
        movable = [i for i, count in enumerate(counts) if step > 0 or count > 1]
        nearest = max(movable, key=lambda i: step * (exact[i] - counts[i]))
        counts[nearest] += step
    return counts


def sparsity_at(number: int, config: RunConfig) -> float:
    """Return the sparsity of training epoch ``number``, from 1, with a budget by ratio: s_final (1 - (1 - t)^power)."""
    return config.masks.pruning_ratio * progress_at(number, config)


def progress_at(number: int, config: RunConfig) -> float:
    """Return the share of what is cut in the end that is cut in training epoch ``number``: 1 - (1 - t)^power."""
    first, last = _span(config)
    t = min(max((number - 1 - first) / (last - first), 0.0), 1.0)
    return 1 - math.pow(1 - t, config.section(MagnitudeConfig).power)


def pruning_is_due(number: int, config: RunConfig) -> bool:
    """Whether the schedule has a step before training epoch ``number``, from 1; the last one is never left out."""
    first, last = _span(config)
    done = number - 1
    return first < done <= last and (done == last or (done - first) % config.section(MagnitudeConfig).interval == 0)


def _span(config: RunConfig) -> tuple[int, int]:
    """Return the training epochs that are complete when pruning starts, and when the final sparsity is reached."""
    epochs = config.training.epochs
    last = min(
        math.ceil(config.section(MagnitudeConfig).end * epochs), epochs - 1
    )  # the last epoch learns with the final sparsity
    return min(math.floor(config.section(MagnitudeConfig).start * epochs), last - 1), last
