"""Gradual magnitude pruning of multi-task SAC (arXiv 1710.01878; in multi-task RL arXiv 2508.06871)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from must.config import RunConfig
from must.masks import MaskLayout, MaskSet, WeightMasks, kept, top_k_mask
from must.methods.masked import MaskedAgent
from must.networks import MaskedMLP, TaskSize


class MagnitudeAgent(MaskedAgent):
    """Multi-task SAC whose smallest weights are cut away little by little, the same for all tasks.

    Every layer is pruned to the same sparsity, the output layer too; biases are not. A weight that was cut is 0 from
    then on: it gets no gradient, its optimizer's momentum is cleared, and it never comes back.
    """

    columns = ("sparsity",)
    shares_masks = True
    masks_from_the_start = False

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        """Draw the initial networks; see `Agent`."""
        super().__init__(config, device)
        self._sparsity = 0.0

    def before_epoch(self, number: int) -> None:
        """Take a step of the schedule, where one is due."""
        if pruning_is_due(number, self._config):
            self._sparsity = sparsity_at(number, self._config)
            pruned = self._prune("policy", self.policy)
            of_critic = self._prune("critic", self.critic) if self._config.magnitude.networks == "both" else None
            self.mask_set = MaskSet(self.mask_set.version + 1, pruned, of_critic, shared=True)

    def end_learning(self, number: int) -> dict[str, Any]:  # noqa: ARG002
        """Say how sparse the pruned networks are."""
        return {"sparsity": self._sparsity}

    @torch.no_grad()
    def _prune(self, name: str, network: MaskedMLP) -> WeightMasks:
        """Cut a network's smallest weights; give what is left."""
        masks = magnitude_masks(network.weights, self._sparsity)
        network.flat[:, : masks.elements.shape[2]] *= masks.elements[:, 0]
        for state in self.optimizers[name].state.values():
            state["exp_avg"][:, : masks.elements.shape[2]] *= masks.elements[:, 0]
        return masks

    def _layout(self, network: MaskedMLP) -> MaskLayout:
        return MaskLayout("weight", network.in_dim, network.out_dim, network.weight_shapes, mask_biases=False)

    def _task_sizes(self) -> tuple[TaskSize, TaskSize]:
        policy, critic = super()._task_sizes()
        return policy, critic if self._config.magnitude.networks == "both" else self.critic.task_size()

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
    rows = [weight.abs().flatten(1) for weight in weights]
    chosen = [top_k_mask(row, kept(row.shape[1], sparsity)) for row in rows]
    return WeightMasks(torch.cat(chosen, dim=1).unsqueeze(1))


def sparsity_at(number: int, config: RunConfig) -> float:
    """Give the sparsity of training epoch ``number``, from 1: s_final (1 - (1 - t)^power)."""
    first, last = _span(config)
    t = min(max((number - 1 - first) / (last - first), 0.0), 1.0)
    return config.masks.pruning_ratio * (1 - math.pow(1 - t, config.magnitude.power))


def pruning_is_due(number: int, config: RunConfig) -> bool:
    """Whether the schedule has a step before training epoch ``number``, from 1; the last one is never left out."""
    first, last = _span(config)
    done = number - 1
    return first < done <= last and (done == last or (done - first) % config.magnitude.interval == 0)


def _span(config: RunConfig) -> tuple[int, int]:
    """Give the training epochs that are complete when pruning starts, and when the final sparsity is reached."""
    epochs = config.training.epochs
    last = min(math.ceil(config.magnitude.end * epochs), epochs - 1)  # the last epoch learns with the final sparsity
    return min(math.floor(config.magnitude.start * epochs), last - 1), last
