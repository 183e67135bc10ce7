"""MUST: every task's part of the networks is chosen by mask generators that learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from must.algorithms import NETWORKS, MaskLearner, TaskFunctions
from must.config import RunConfig
from must.methods.masked import MaskedAgent
from must.seeding import Stream, integer_seed
from must.types import Float32


class MustAgent(MaskedAgent):
    """Multi-task SAC under learned masks; the first ones, published before the first training epoch, are random."""

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        """Draw the initial networks and generators; see `Agent`."""
        super().__init__(config, device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(integer_seed(config.training.seed, Stream.GENERATORS))
            self.mask_learner = MaskLearner(config, *self._layouts).to(device)
        self.mask_learner.make_optimizers()
        self._add_rng("mask_noise", Stream.MASK_NOISE)

    def before_epoch(self, number: int) -> None:
        """Publish the random masks before the first training epoch."""
        if number == 1:
            self.publish_random_masks()

    def learns_masks(self, number: int) -> bool:
        """Whether training epoch ``number`` is a mask update."""
        return number >= 1 and number % self._config.masks.update_interval == 0

    def begin_learning(self, number: int, trajectories: Callable[[], Float32]) -> dict[str, Any]:
        """Begin a mask update, where it is one."""
        if not self.learns_masks(number):
            return {}
        losses = self.begin_mask_update(trajectories() if self._config.generator.needs_trajectories else None)
        return {f"supervised_loss_{name}": loss for name, loss in zip(NETWORKS, losses, strict=True)}

    def end_learning(self, number: int) -> dict[str, Any]:
        """End a mask update, where it is one."""
        if self.learns_masks(number):
            self.finish_mask_update()
        return {}

    def begin_mask_update(self, trajectories: Float32 | None) -> list[float]:
        """Begin a mask-update epoch: take the supervised steps; give each generator's supervised loss."""
        self.mask_learner.look_at(trajectories)
        return self.mask_learner.supervised_update(self.rngs["mask_noise"])

    def finish_mask_update(self) -> None:
        """End a mask-update epoch: publish what the generators now say."""
        self.mask_learner.finish_update()
        self.mask_set = self.mask_learner.publish(self.mask_set.version + 1)

    def _task_functions(self, learn_masks: bool) -> TaskFunctions:
        if not learn_masks:
            return super()._task_functions(learn_masks)
        policy, critic = self.mask_learner.draw(self.rngs["mask_noise"])
        with torch.no_grad():
            target_critic = self.target_critic.task_parameters(critic.detach())
        return TaskFunctions(self.policy.task_parameters(policy), self.critic.task_parameters(critic), target_critic)

    def _after_step(self, learn_masks: bool) -> Sequence[Tensor]:
        return self.mask_learner.step() if learn_masks else ()

    def _mask_learner_state(self) -> dict[str, Any]:
        return {
            "mask_learner": self.mask_learner.state_dict(),
            "mask_optimizers": self.mask_learner.optimizer_states(),
        }

    def _restore_mask_learner(self, state: dict[str, Any]) -> None:
        self.mask_learner.load_state_dict(state["mask_learner"])
        self.mask_learner.load_optimizer_states(state["mask_optimizers"])

    def _generator_size(self) -> int:
        return sum(parameter.numel() for parameter in self.mask_learner.parameters())
