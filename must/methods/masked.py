"""What methods with masks share: which tensors are masked, and the published set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from must.algorithms import Agent
from must.config import RunConfig
from must.masks import MaskLayout, MaskSet, mask_tensors
from must.networks import HiddenLayers, MaskedMLP, TaskSize, task_inputs
from must.seeding import Stream


class MaskedAgent(Agent):
    """Multi-task SAC of which every task uses a part, cut out with masks. Until some are published it is dense."""

    shares_masks = False
    """Whether all tasks have the same masks."""
    masks_from_the_start = True
    """Whether gradient steps have masks of the whole pruning ratio from the first one on."""
    policy: MaskedMLP
    critic: MaskedMLP

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        """Draw the initial networks; see `Agent`."""
        super().__init__(config, device)
        self._layouts = self._layout(self.policy), self._layout(self.critic)
        self._add_rng("random_masks", Stream.RANDOM_MASKS)

    def publish_random_masks(self) -> None:
        """Publish random masks of exact density."""
        ratio, rng = self._config.masks.pruning_ratio, self.rngs["random_masks"]
        policy, critic = (
            layout.random(members, self.n_tasks, ratio, rng, self.device, self.shares_masks)
            for layout, members in zip(self._layouts, (1, 2), strict=True)
        )
        self.mask_set = MaskSet(self.mask_set.version + 1, policy, critic, self.shares_masks)

    def _mask_state(self) -> dict[str, Any]:
        masks = self.mask_set.policy, self.mask_set.critic
        return {
            "version": self.mask_set.version,
            "tensors": [[tensor.detach().bool() for tensor in mask_tensors(network)] for network in masks],
        }

    def _restore_masks(self, version: int, policy: list[Tensor], critic: list[Tensor]) -> None:
        restored_policy, restored_critic = (
            layout.from_tensors([tensor.to(self.device) for tensor in tensors])
            for layout, tensors in zip(self._layouts, (policy, critic), strict=True)
        )
        self.mask_set = MaskSet(version, restored_policy, restored_critic, self.shares_masks)

    def _task_sizes(self) -> tuple[TaskSize, TaskSize]:
        policy, critic = (layout.kept_parameters(self._config.masks.pruning_ratio) for layout in self._layouts)
        return TaskSize(*policy), TaskSize(*critic)

    def _hidden(self, n_members: int, in_dim: int) -> HiddenLayers:
        hidden = super()._hidden(n_members, in_dim)
        if not self.masks_from_the_start:
            return hidden
        sizes, masks = self._config.network.hidden_sizes, self._config.masks
        inputs = task_inputs(sizes, in_dim, self.n_tasks, masks.granularity, masks.pruning_ratio)
        return replace(hidden, task_inputs=inputs)

    def _layout(self, network: MaskedMLP) -> MaskLayout:
        masks = self._config.masks
        out_dim = network.weight_shapes[-1][1]
        return MaskLayout(masks.granularity, network.in_dim, out_dim, network.weight_shapes, bool(masks.mask_biases))
