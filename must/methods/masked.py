"""What methods with masks share: which tensors are masked, the first masks, and the published set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from must.algorithms import NETWORKS, Agent, MaskLearner
from must.algorithms.mask_rule import Rows
from must.config import RunConfig
from must.masks import MaskLayout, Masks, MaskSet, UnitMasks, WeightMasks, mask_tensors
from must.networks import HiddenLayers, MaskedMLP, TaskSize, task_inputs
from must.seeding import Stream, integer_seed
from must.types import Trajectories


class MaskedAgent(Agent):
    """Multi-task SAC of which every task uses a part, cut out with masks. Until some are published it is dense.

    The first masks, before training epoch 1, are what untrained generators choose: random, of exact density, and the
    same for every method with masks of the same seed.
    """

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
        self._masked_layouts = (self._layouts[0], self._layouts[1], self._layouts[1])[: self._n_masked]

    def before_epoch(self, number: int, trajectories: Callable[[], Trajectories | None]) -> None:
        """Publish the first masks before training epoch 1."""
        if number == 1:
            self.publish_initial_masks(trajectories() if self._config.generator.use_trajectory_info else None)

    def publish_initial_masks(self, trajectories: Trajectories | None) -> None:
        """Publish the masks of untrained generators.

        Args:
            trajectories: Of the tasks; None where none are read, or there are none yet.
        """
        learner = self._initial_learner()
        learner.read(trajectories)
        self._publish(learner.choose())

    def _initial_learner(self) -> MaskLearner:
        """Return generators as they are before any training."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(integer_seed(self._config.training.seed, Stream.GENERATORS))
            return MaskLearner(self._config, self._masked_layouts).to(self.device)

    def _publish(self, rows: Rows) -> None:
        """Publish masks as the next version."""
        policy = self._layouts[0].publishable(self._assembled(0, rows[:1]))
        critic = self._layouts[1].publishable(self._assembled(1, rows[1:])) if len(rows) > 1 else None
        self.mask_set = MaskSet(self.mask_set.version + 1, policy, critic, self.shares_masks)

    def _assembled(self, number: int, members: Rows) -> WeightMasks | UnitMasks:
        """Put the masks of the policy (0) or the Q networks (1) together; the first task's are all tasks' if shared."""
        if not self.shares_masks:
            return self._layouts[number].assemble(members)
        masks = self._layouts[number].assemble([[mask[:1] for mask in member] for member in members])
        if isinstance(masks, UnitMasks):  # a sub-network has the row of its own task's one-hot
            return UnitMasks(tuple(mask.expand(-1, self.n_tasks, -1) for mask in masks.units))
        return masks

    def _published_rows(self) -> Rows:
        """Return the published masks of each masked network."""
        networks: tuple[tuple[MaskLayout, Masks], ...] = (
            (self._layouts[0], self.mask_set.policy),
            (self._layouts[1], self.mask_set.critic),
        )
        return [member for layout, masks in networks if masks is not None for member in layout.split(masks)]

    @property
    def _n_masked(self) -> int:
        """How many of `NETWORKS` are masked."""
        return 1 if self._config.masks.networks == "actor" else len(NETWORKS)

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
        policy, critic = (
            TaskSize(*layout.kept_parameters(self._config.masks.pruning_ratio)) for layout in self._layouts
        )
        return policy, critic if self._n_masked > 1 else self.critic.task_size()

    def _hidden(self, n_members: int, in_dim: int) -> HiddenLayers:
        hidden = super()._hidden(n_members, in_dim)
        if not self.masks_from_the_start or (n_members > 1 and self._n_masked == 1):
            return hidden
        sizes, masks = self._config.network.hidden_sizes, self._config.masks
        inputs = task_inputs(sizes, in_dim, self.n_tasks, masks.granularity, masks.pruning_ratio)
        return replace(hidden, task_inputs=inputs)

    def _layout(self, network: MaskedMLP) -> MaskLayout:
        masks = self._config.masks
        out_dim = network.weight_shapes[-1][1]
        return MaskLayout(masks.granularity, network.in_dim, out_dim, network.weight_shapes, bool(masks.mask_biases))
