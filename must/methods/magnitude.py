"""Gradual magnitude pruning of multi-task SAC (arXiv 1710.01878; in multi-task RL arXiv 2508.06871)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from must.algorithms import NETWORKS
from must.config import RunConfig
from must.errors import ConfigError
from must.masks import MaskLayout, MaskSet, WeightMasks, kept, top_k_mask
from must.methods.masked import MaskedAgent
from must.networks import MaskedMLP, TaskSize
from must.types import Trajectories


class MagnitudeAgent(MaskedAgent):
    """Multi-task SAC whose smallest weights are cut away little by little, the same for all tasks.

    Every layer of a network is pruned to the same sparsity, the output layer too; biases are not. A weight that was cut
    is 0 from then on: it gets no gradient, its optimizer's momentum is cleared, and it never comes back.
    """

    columns = ("sparsity",)
    shares_masks = True
    masks_from_the_start = False

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        """Draw the initial networks; see `Agent`."""
        super().__init__(config, device)
        self._sparsity = 0.0
        if config.magnitude.budget == "parameters":
            pruned = [self.policy, self.critic] if config.magnitude.networks == "both" else [self.policy]
            self._left = {network: self._equal_parameters(network) for network in pruned}

    def before_epoch(self, number: int, trajectories: Callable[[], Trajectories | None]) -> None:  # noqa: ARG002
        """Take a step of the schedule, where one is due."""
        if pruning_is_due(number, self._config):
            progress = progress_at(number, self._config)
            pruned = self._prune("policy", self.policy, progress)
            self._sparsity = self._sparsity_of(self.policy, progress)
            of_critic = self._prune("critic", self.critic, progress) if self._n_masked > 1 else None
            self.mask_set = MaskSet(self.mask_set.version + 1, pruned, of_critic, shared=True)

    def end_learning(self, number: int) -> dict[str, Any]:  # noqa: ARG002
        """Return how sparse the policy is."""
        return {"sparsity": self._sparsity}

    @torch.no_grad()
    def _prune(self, name: str, network: MaskedMLP, progress: float) -> WeightMasks:
        """Cut a network's smallest weights; return what is left."""
        masks = largest(network.weights, self._counts(network, progress))
        network.flat[:, : masks.elements.shape[2]] *= masks.elements[:, 0]
        for state in self.optimizers[name].state.values():
            state["exp_avg"][:, : masks.elements.shape[2]] *= masks.elements[:, 0]
        return masks

    def _counts(self, network: MaskedMLP, progress: float) -> list[int]:
        """Return how many weights of each layer are left, at a progress from 0 to 1 of the schedule."""
        sizes = [math.prod(shape) for shape in network.weight_shapes]
        if self._config.magnitude.budget == "ratio":
            return [kept(size, progress * self._config.masks.pruning_ratio) for size in sizes]
        left = self._left[network]
        return [size - round(progress * (size - last)) for size, last in zip(sizes, left, strict=True)]

    def _sparsity_of(self, network: MaskedMLP, progress: float) -> float:
        """Return the share of a network's weights that is cut, before counts of layers are rounded if by ratio."""
        if self._config.magnitude.budget == "ratio":
            return progress * self._config.masks.pruning_ratio
        return 1 - sum(self._counts(network, progress)) / sum(math.prod(shape) for shape in network.weight_shapes)

    def _equal_parameters(self, network: MaskedMLP) -> list[int]:
        """Return how many weights of each layer are left in the end, for as many parameters as under a task's masks."""
        sizes = [math.prod(shape) for shape in network.weight_shapes]
        biases = network.task_size().biases
        masks = self._config.masks
        parameters = sum(super()._layout(network).kept_parameters(masks.pruning_ratio))
        if parameters - biases < len(sizes):
            raise ConfigError(
                f"magnitude.budget: parameters: a task's network under masks.granularity: {masks.granularity} and "
                f"masks.pruning_ratio: {masks.pruning_ratio:g} has {parameters} parameters, but magnitude pruning "
                f"keeps the {biases} biases and a weight of each layer: use a lower ratio, or magnitude.budget: ratio"
            )
        return shares(sizes, parameters - biases)

    def _layout(self, network: MaskedMLP) -> MaskLayout:
        return MaskLayout("weight", network.in_dim, network.out_dim, network.weight_shapes, mask_biases=False)

    @property
    def _n_masked(self) -> int:
        return 1 if self._config.magnitude.networks == "actor" else len(NETWORKS)

    def _task_sizes(self) -> tuple[TaskSize, TaskSize]:
        both = self._n_masked > 1
        return self._size_left(self.policy), self._size_left(self.critic) if both else self.critic.task_size()

    def _size_left(self, network: MaskedMLP) -> TaskSize:
        return TaskSize(sum(self._counts(network, 1.0)), network.task_size().biases)

    def _method_state(self) -> dict[str, Any]:
        return {"sparsity": self._sparsity}

    def _restore_method(self, state: dict[str, Any]) -> None:
        self._sparsity = state["sparsity"]


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
    return 1 - math.pow(1 - t, config.magnitude.power)


def pruning_is_due(number: int, config: RunConfig) -> bool:
    """Whether the schedule has a step before training epoch ``number``, from 1; the last one is never left out."""
    first, last = _span(config)
    done = number - 1
    return first < done <= last and (done == last or (done - first) % config.magnitude.interval == 0)


def _span(config: RunConfig) -> tuple[int, int]:
    """Return the training epochs that are complete when pruning starts, and when the final sparsity is reached."""
    epochs = config.training.epochs
    last = min(math.ceil(config.magnitude.end * epochs), epochs - 1)  # the last epoch learns with the final sparsity
    return min(math.floor(config.magnitude.start * epochs), last - 1), last
