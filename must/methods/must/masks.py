"""Masks that generators choose: those of untrained ones, and those of generators that learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor

from must.algorithms import Agent, CutMasks, StepKind, TaskFunctions
from must.config.schedule import last_renewal, renews
from must.masks import Masks, Rows
from must.methods.must.mask_learner import MaskLearner
from must.methods.must.mask_rule import MaskRule, Published
from must.methods.must.saliency import Saliency
from must.networks import seeded
from must.seeding import Stream, integer_seed
from must.types import Trajectories


class GeneratedMasks(CutMasks):
    """The masks that untrained generators choose, published before training epoch 1 and never changed.

    They are random, of exact density, and the same for every method with such masks and the same seed.
    """

    def before_epoch(self, number: int, trajectories: Callable[[], Trajectories | None]) -> None:
        """Publish the first masks before training epoch 1."""
        if number == 1:
            self.publish_initial(trajectories() if self._config.generator.use_trajectory_info else None)

    def publish_initial(self, trajectories: Trajectories | None) -> None:
        """Publish the masks of untrained generators.

        Args:
            trajectories: Of the tasks; None where none are read, or there are none yet.
        """
        learner = self.initial_learner()
        learner.read(trajectories)
        self.publish(learner.choose())

    def initial_learner(self) -> MaskLearner:
        """Return generators as they are before any training."""
        with seeded(integer_seed(self._config.training.seed, Stream.GENERATORS)):
            return MaskLearner(self._config, self.masked_layouts).to(self.device)


class Fading(NamedTuple):
    """A renewal on its way into the networks, which takes the ordinary gradient steps of its epoch.

    What was swapped comes and goes as a factor between 0 and 1 (`masks.fade`). The target networks keep the masks from
    before (`masks.hold_targets`): with the new ones their values would change with each unit that is swapped, and as
    values are learned from their own targets, the Q networks would learn these changes.
    """

    before: Rows
    """The masks that were published before."""
    steps: int
    """Gradient steps taken since the renewal."""
    targets: Masks
    """The target networks' masks meanwhile."""


class LearnedMasks(GeneratedMasks):
    """Masks that are renewed every so often, until they are frozen.

    `masks.rule` chooses what decides which elements are kept: the generators, or saliency without a generator.
    """

    def __init__(self, agent: Agent) -> None:
        """Draw the initial generators."""
        super().__init__(agent)
        config = self._config
        self.mask_learner: MaskLearner | None = None
        self._rule: MaskRule
        if config.masks.rule == "generator":
            self._rule = self.mask_learner = super().initial_learner()
            self.mask_learner.make_optimizers()
        else:
            ratio = config.masks.pruning_ratio
            self._rule = Saliency([layout.kept(ratio) for layout in self.masked_layouts])
        self.metrics = self._rule.metrics
        self.generators = list(self.mask_learner.generators) if self.mask_learner else ()
        self.updates_apart = config.masks.update == "apart"
        self._holds_targets = self.updates_apart and config.masks.hold_targets and self.n_masked > 1
        self.columns = tuple(f"reconstruction_loss_{name}" for name in self._reconstructed)
        self._fading: Fading | None = None
        self._faded: Fading | None = None
        """Of the gradient step that was prepared last, if it is one on the way to the published masks."""
        self._share: Tensor | float = torch.zeros((), device=self.device)
        """How far it is, from 0 to 1."""
        agent.add_rng("mask_noise", Stream.MASK_NOISE)
        agent.add_rng("encoder_noise", Stream.ENCODERS)

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
        self._rule.in_place = self._agent.in_place
        published = Published.at(self.published_rows(), self.masked_layouts, self._config, number)
        return self._rule.begin_update(published, trajectories, self._agent.rngs["mask_noise"])

    def end_mask_update(self) -> dict[str, float]:
        """Publish the renewed masks."""
        before, targets = self.published_rows(), self.mask_set.critic
        masks, fields = self._rule.finish_update()
        self.publish(masks)
        if self._holds_targets or (self.updates_apart and self._config.masks.fade):
            self._fading = Fading(before, 0, targets)
        return fields

    @property
    def fading(self) -> bool:
        """Whether the networks of the next gradient step are still on their way to the published masks."""
        return self._fading is not None

    def prepare_step(self, learn_masks: bool) -> StepKind:
        """Find out how far masks that are on their way are; see `MaskSource`."""
        self._faded = None if learn_masks else self._fading
        if self._faded is None:
            return super().prepare_step(learn_masks)
        steps, number = self._config.training.opt_times, self._faded.steps + 1
        self._fading = self._faded._replace(steps=number) if number < steps else None  # the last one has the new masks
        if self._agent.in_place and isinstance(self._share, Tensor):
            self._share.fill_(number / steps)
        else:
            self._share = number / steps
        return StepKind.ARRIVING if self._holds_targets and self._fading is None else StepKind.FADING

    def step_inputs(self, kind: StepKind) -> Any:
        """Return what steps of a kind read; see `MaskSource`."""
        masks = super().step_inputs(kind)
        if kind is StepKind.LEARNING:
            return *masks, self._rule.places_version
        return masks if self._faded is None else (*masks, self._faded.before, self._faded.targets)

    def bind_inputs(self, kind: StepKind, inputs: Any) -> None:
        """Have steps of a kind read other tensors; see `MaskSource`."""
        if self._faded is not None:
            self._faded = self._faded._replace(before=inputs[2], targets=inputs[3])
        super().bind_inputs(kind, inputs)

    def initial_learner(self) -> MaskLearner:
        """Return the generators, which nothing has trained before the first masks."""
        return self.mask_learner or super().initial_learner()

    def functions(self, learn_masks: bool) -> TaskFunctions:
        """Return the networks as a gradient step uses them: under drawn masks, fading ones, or the published ones.

        Generators that learn are judged by the targets of the published masks: with their own they could lower the
        errors by lowering the values, of which the targets are made.
        """
        if learn_masks:
            rows, targets = self._rule.draw(self._agent.rngs["mask_noise"]), self.mask_set.critic
        elif self._faded is not None:
            rows, targets = self._on_their_way(self._faded.before), self._faded.targets
        else:
            return super().functions(learn_masks)
        policy = self.assembled(0, rows[:1])
        critic = self.assembled(1, rows[1:]) if len(rows) > 1 else None
        return self._functions_under(policy, critic, targets if self._holds_targets else critic)

    def after_step(self, learn_masks: bool) -> Sequence[Tensor]:
        """Let the rule learn from the gradients of a mask update."""
        return self._rule.step() if learn_masks else ()

    def move_targets(self) -> None:
        """Move the target networks, unless they wait for a renewal: then make them copies at its last step."""
        if self._faded is None or not self._holds_targets:
            super().move_targets()
        elif self._fading is None:
            self._agent.target_critic.flat.copy_(self._agent.critic.flat)

    def _on_their_way(self, before: Rows) -> Rows:
        """Return the masks of a gradient step, between those that were published before and those that are now."""
        if not self._config.masks.fade:
            return self.published_rows()
        return [
            [old.lerp(new, self._share) for old, new in zip(*network, strict=True)]
            for network in zip(before, self.published_rows(), strict=True)
        ]

    def state(self) -> dict[str, Any]:
        """Return a renewal that is on its way."""
        if self._fading is None:
            return {}
        before = [[mask.bool() for mask in network] for network in self._fading.before]
        return {"fading": {"before": before, "steps": self._fading.steps}}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state` returned."""
        if "fading" in state:
            before = [
                [mask.to(self.device, self._agent.policy.flat.dtype) for mask in network]
                for network in state["fading"]["before"]
            ]
            targets = self.layouts[1].publishable(self.assembled(1, before[1:])) if len(before) > 1 else None
            self._fading = Fading(before, state["fading"]["steps"], targets)

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
        losses = self.mask_learner.encoders.reconstruct(trajectories, self._agent.rngs["encoder_noise"], self.device)
        return dict(zip((f"reconstruction_loss_{name}" for name in self._reconstructed), losses, strict=True))

    def learner_state(self) -> dict[str, Any]:
        """Return generators and encoders with their optimizers."""
        if self.mask_learner is None:
            return {}
        state = {
            "mask_learner": self.mask_learner.state_dict(),
            "mask_optimizers": self.mask_learner.optimizer_states(),
        }
        return deepcopy(state) if self._reconstructed else state  # then encoders move between mask updates as well

    def restore_learner(self, state: dict[str, Any]) -> None:
        """Load what `learner_state` returned."""
        if self.mask_learner is not None:
            self.mask_learner.load_state_dict(state["mask_learner"])
            self.mask_learner.load_optimizer_states(state["mask_optimizers"])

    def generator_size(self) -> int:
        """Count the parameters of generators and encoders."""
        return sum(parameter.numel() for parameter in self.mask_learner.parameters()) if self.mask_learner else 0
