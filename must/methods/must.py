"""MUST: every task's part of the networks is chosen by mask generators that learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor

from must.algorithms import MaskLearner, MaskRule, Published, Saliency, TaskFunctions
from must.algorithms.mask_rule import Rows
from must.config import RunConfig
from must.config.schedule import last_renewal, renews
from must.methods.masked import MaskedAgent
from must.seeding import Stream
from must.types import Trajectories


class Fading(NamedTuple):
    """A renewal on its way into the networks: what was swapped comes and goes as a factor between 0 and 1."""

    before: Rows
    """The masks that were published before."""
    steps: int
    """Gradient steps taken since the renewal."""


class MustAgent(MaskedAgent):
    """Multi-task SAC under masks that are renewed every so often, until they are frozen.

    `masks.rule` chooses what decides which elements are kept: the generators, or saliency without a generator.
    """

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        """Draw the initial networks and generators; see `Agent`."""
        super().__init__(config, device)
        self.mask_learner: MaskLearner | None = None
        self._rule: MaskRule
        if config.masks.rule == "generator":
            self._rule = self.mask_learner = super()._initial_learner()
            self.mask_learner.make_optimizers()
        else:
            ratio = config.masks.pruning_ratio
            self._rule = Saliency([layout.kept(ratio) for layout in self._masked_layouts])
        self.mask_metrics = self._rule.metrics
        self.updates_masks_apart = config.masks.update == "apart"
        self.columns = tuple(f"reconstruction_loss_{name}" for name in self._reconstructed)
        self._fading: Fading | None = None
        self._add_rng("mask_noise", Stream.MASK_NOISE)
        self._add_rng("encoder_noise", Stream.ENCODERS)

    def learns_masks(self, number: int) -> bool:
        """Return whether training epoch ``number`` is a mask update."""
        masks, epochs = self._config.masks, self._config.training.epochs
        return renews(number, epochs, masks.update_interval, masks.freeze_after)

    def begin_learning(self, number: int, trajectories: Callable[[], Trajectories | None]) -> dict[str, Any]:
        """Begin a mask update, where it is one; train the encoders on their own loss, where they have one."""
        fields: dict[str, Any] = {}
        if self._trains_encoders(number) and (stored := trajectories()) is not None:
            fields |= self._reconstruct(stored)
        if not self.learns_masks(number):
            return fields
        reads = self.mask_learner is not None and self._config.generator.needs_trajectories
        return fields | self.begin_mask_update(trajectories() if reads else None, number)

    def begin_mask_update(self, trajectories: Trajectories | None, number: int = 1) -> dict[str, float]:
        """Begin a mask-update epoch; return fields of ``train.csv``.

        Args:
            trajectories: Of the tasks; None where none are read.
            number: The training epoch, by which the bound on swaps is found.
        """
        published = Published.at(self._published_rows(), self._masked_layouts, self._config, number)
        return self._rule.begin_update(published, trajectories, self.rngs["mask_noise"])

    def end_mask_update(self) -> dict[str, float]:
        """Publish the renewed masks; see `Hooks`."""
        before = self._published_rows()
        masks, fields = self._rule.finish_update()
        self._publish(masks)
        if self.updates_masks_apart and self._config.masks.fade:
            self._fading = Fading(before, 0)
        return fields

    @property
    def fading(self) -> bool:
        """Whether the masks of the next gradient step are on their way; see `Hooks`."""
        return self._fading is not None

    def _initial_learner(self) -> MaskLearner:
        return self.mask_learner or super()._initial_learner()

    def _task_functions(self, learn_masks: bool) -> TaskFunctions:
        if learn_masks:
            rows = self._rule.draw(self.rngs["mask_noise"])
        elif self._fading is not None:
            rows = self._faded(self._fading)
        else:
            return super()._task_functions(learn_masks)
        policy = self._assembled(0, rows[:1])
        return self._functions_under(policy, self._assembled(1, rows[1:]) if len(rows) > 1 else None)

    def _after_step(self, learn_masks: bool) -> Sequence[Tensor]:
        return self._rule.step() if learn_masks else ()

    def _faded(self, fading: Fading) -> Rows:
        """Return the masks of the next gradient step, and go on: the last one of an epoch has the published ones."""
        steps, number = self._config.training.opt_times, fading.steps + 1
        self._fading = fading._replace(steps=number) if number < steps else None
        return [
            [old.lerp(new, number / steps) for old, new in zip(*network, strict=True)]
            for network in zip(fading.before, self._published_rows(), strict=True)
        ]

    def _method_state(self) -> dict[str, Any]:
        if self._fading is None:
            return {}
        before = [[mask.bool() for mask in network] for network in self._fading.before]
        return {"fading": {"before": before, "steps": self._fading.steps}}

    def _restore_method(self, state: dict[str, Any]) -> None:
        if "fading" in state:
            before = [[mask.to(self.device).float() for mask in network] for network in state["fading"]["before"]]
            self._fading = Fading(before, state["fading"]["steps"])

    @property
    def _reconstructed(self) -> tuple[str, ...]:
        """The networks whose generators' encoders have a loss of their own."""
        learner = self.mask_learner
        return learner.names[: len(learner.encoders.decoders)] if learner else ()

    def _trains_encoders(self, number: int) -> bool:
        masks = self._config.masks
        return bool(self._reconstructed) and number <= last_renewal(self._config.training.epochs, masks.freeze_after)

    def _reconstruct(self, trajectories: Trajectories) -> dict[str, float]:
        """Take the encoders' own step of an epoch."""
        assert self.mask_learner is not None
        losses = self.mask_learner.encoders.reconstruct(trajectories, self.rngs["encoder_noise"], self.device)
        return dict(zip((f"reconstruction_loss_{name}" for name in self._reconstructed), losses, strict=True))

    def _mask_learner_state(self) -> dict[str, Any]:
        if self.mask_learner is None:
            return {}
        state = {
            "mask_learner": self.mask_learner.state_dict(),
            "mask_optimizers": self.mask_learner.optimizer_states(),
        }
        return deepcopy(state) if self._reconstructed else state  # then encoders move between mask updates as well

    def _restore_mask_learner(self, state: dict[str, Any]) -> None:
        if self.mask_learner is not None:
            self.mask_learner.load_state_dict(state["mask_learner"])
            self.mask_learner.load_optimizer_states(state["mask_optimizers"])

    def _generator_size(self) -> int:
        return sum(parameter.numel() for parameter in self.mask_learner.parameters()) if self.mask_learner else 0
