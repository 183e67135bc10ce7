"""Sources of masks: none, and what all that have some share: which tensors are masked, and the published set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from must.algorithms.parts import Component, StepKind, TaskFunctions
from must.config import RunConfig
from must.masks import MaskLayout, Masks, MaskSet, Rows, UnitMasks, WeightMasks, mask_tensors
from must.networks import BaseNetwork, HiddenLayers, MaskedMLP, TaskSize, task_inputs
from must.types import Trajectories

NETWORKS = ("policy", "q1", "q2")
"""The networks that can be masked."""


class MaskSource(Component):
    """Which parts of the networks a task uses, and when that changes: here, all of them, always."""

    metrics: tuple[str, ...] = ()
    """What a gradient step of a mask update reports beside what every step does."""
    updates_apart = False
    """Whether the steps that learn masks leave the networks as they are."""
    generators: Sequence[nn.Module] = ()
    """Networks that generate masks and learn."""
    mask_set = MaskSet(0, None, None)
    """The published masks: at first the dense ones."""

    @classmethod
    def hidden(cls, config: RunConfig, n_members: int, in_dim: int) -> HiddenLayers:  # noqa: ARG003
        """Return what all hidden layers of a base network have in common.

        Args:
            config: The run's settings.
            n_members: 1 for the policy, 2 for the Q networks.
            in_dim: Features of the input, without the one-hot.
        """
        return HiddenLayers(config.network.init, layer_norm=config.network.layer_norm)

    # In a gradient step

    @property
    def fading(self) -> bool:
        """Whether the masks of the next gradient step are between one published set and the next."""
        return False

    def prepare_step(self, learn_masks: bool) -> StepKind:
        """Do what the host has to do before each gradient step, recorded or not; return what kind of step comes."""
        return StepKind.LEARNING if learn_masks else StepKind.ORDINARY

    def step_inputs(self, kind: StepKind) -> Any:  # noqa: ARG002 (masks that fade read it)
        """Return the tensors, in any nesting, that steps of a kind read and others take the place of between epochs."""
        return self.mask_set.policy, self.mask_set.critic

    def bind_inputs(self, kind: StepKind, inputs: Any) -> None:  # noqa: ARG002 (as above)
        """Have steps of a kind read other tensors than those that `step_inputs` returned."""
        self.mask_set = replace(self.mask_set, policy=inputs[0], critic=inputs[1])

    def functions(self, learn_masks: bool) -> TaskFunctions:  # noqa: ARG002
        """Return the networks as a gradient step uses them."""
        return self._functions_under(self.mask_set.policy, self.mask_set.critic, self.mask_set.critic)

    def _functions_under(self, policy: Masks, critic: Masks, target: Masks) -> TaskFunctions:
        agent = self._agent
        with torch.no_grad():
            target_critic = agent.target_critic.task_parameters(target)
        return TaskFunctions(agent.policy.task_parameters(policy), agent.critic.task_parameters(critic), target_critic)

    def after_step(self, learn_masks: bool) -> Sequence[Tensor]:  # noqa: ARG002
        """Run after the networks' part of a gradient step; return what it reports after that, see `metrics`."""
        return ()

    def move_targets(self) -> None:
        """Move the target networks at the end of a gradient step."""
        agent = self._agent
        agent.target_critic.flat.lerp_(agent.critic.flat, self._config.sac.tau)

    # Between epochs

    def learns_masks(self, number: int) -> bool:  # noqa: ARG002
        """Return whether training epoch ``number`` is a mask update."""
        return False

    def before_epoch(self, number: int, trajectories: Callable[[], Trajectories | None]) -> None:
        """Prepare training epoch ``number``, counted from 1; those of pretraining are 0 and less.

        The policy that collects, learns and is evaluated in the epoch has these masks.

        Args:
            number: The training epoch.
            trajectories: Returns stored trajectories of the tasks; None before each task has finished an episode.
        """

    def begin_learning(self, number: int, trajectories: Callable[[], Trajectories | None]) -> dict[str, Any]:  # noqa: ARG002
        """Prepare the gradient steps of training epoch ``number``; return fields of ``train.csv``.

        Args:
            number: From 1.
            trajectories: Returns stored trajectories of the tasks; None before each task has finished an episode.
        """
        return {}

    def begin_mask_update(self, trajectories: Trajectories | None, number: int = 1) -> dict[str, float]:  # noqa: ARG002
        """Begin the mask update of training epoch ``number``; return fields of ``train.csv``."""
        return {}

    def end_mask_update(self) -> dict[str, Any]:
        """Renew the masks, after the steps that learn them; return fields of ``train.csv``."""
        return {}

    # In a checkpoint and in the result

    def masks_state(self) -> dict[str, Any]:
        """Return the published masks and their version."""
        masks = self.mask_set.policy, self.mask_set.critic
        return {
            "version": self.mask_set.version,
            "tensors": [[tensor.detach().bool() for tensor in mask_tensors(network)] for network in masks],
        }

    def restore_masks(self, version: int, policy: list[Tensor], critic: list[Tensor]) -> None:  # noqa: ARG002
        """Publish what `masks_state` returned."""
        self.mask_set = MaskSet(version, None, None)

    def learner_state(self) -> dict[str, Any]:
        """Return what only mask updates change; see `Agent.snapshot`."""
        return {}

    def restore_learner(self, state: dict[str, Any]) -> None:
        """Load what `learner_state` returned, from a whole snapshot."""

    def task_sizes(self) -> tuple[TaskSize, TaskSize]:
        """Count what a task uses of the policy and of a Q network."""
        return self._agent.policy.task_size(), self._agent.critic.task_size()

    def generator_size(self) -> int:
        """Count the parameters of mask generators and encoders."""
        return 0


class CutMasks(MaskSource):
    """Masks of which every task uses a part of the networks. Until some are published, the networks are dense."""

    shared = False
    """Whether all tasks have the same masks."""
    from_the_start = True
    """Whether gradient steps have masks of the whole pruning ratio from the first one on."""

    def __init__(self, agent: Any) -> None:
        """Find out what is masked."""
        super().__init__(agent)
        self.layouts = self.layout(perceptron(agent.policy)), self.layout(perceptron(agent.critic))
        """Of the policy and of the Q networks."""
        self.masked_layouts = (self.layouts[0], self.layouts[1], self.layouts[1])[: self.n_masked]
        """Of each masked network."""

    @classmethod
    def hidden(cls, config: RunConfig, n_members: int, in_dim: int) -> HiddenLayers:
        """Return what all hidden layers have in common, with the inputs that a task has under its first masks."""
        hidden = super().hidden(config, n_members, in_dim)
        if not cls.from_the_start or (n_members > 1 and cls.count_masked(config) == 1):
            return hidden
        sizes, masks, n_tasks = config.network.hidden_sizes, config.masks, len(config.env.task_names)
        inputs = task_inputs(sizes, in_dim, n_tasks, masks.granularity, masks.pruning_ratio)
        return replace(hidden, task_inputs=inputs)

    @classmethod
    def count_masked(cls, config: RunConfig) -> int:
        """Count how many of `NETWORKS` are masked."""
        return 1 if config.masks.networks == "actor" else len(NETWORKS)

    @property
    def n_masked(self) -> int:
        """How many of `NETWORKS` are masked."""
        return self.count_masked(self._config)

    def layout(self, network: MaskedMLP) -> MaskLayout:
        """Return what is masked in a network."""
        masks = self._config.masks
        return MaskLayout(
            masks.granularity,
            network.in_dim,
            network.task_out_dim,
            network.task_weight_shapes,
            bool(masks.mask_biases),
            network.out_dim // network.task_out_dim,
        )

    def publish(self, rows: Rows) -> None:
        """Publish masks as the next version."""
        policy = self.layouts[0].publishable(self.assembled(0, rows[:1]))
        critic = self.layouts[1].publishable(self.assembled(1, rows[1:])) if len(rows) > 1 else None
        self.mask_set = MaskSet(self.mask_set.version + 1, policy, critic, self.shared)

    def assembled(self, number: int, members: Rows) -> WeightMasks | UnitMasks:
        """Put the masks of the policy (0) or the Q networks (1) together; the first task's are all tasks' if shared."""
        if not self.shared:
            return self.layouts[number].assemble(members)
        masks = self.layouts[number].assemble([[mask[:1] for mask in member] for member in members])
        if isinstance(masks, UnitMasks):  # a sub-network has the row of its own task's one-hot
            return UnitMasks(tuple(mask.expand(-1, self.n_tasks, -1) for mask in masks.units))
        return masks

    def published_rows(self) -> Rows:
        """Return the published masks of each masked network."""
        networks: tuple[tuple[MaskLayout, Masks], ...] = (
            (self.layouts[0], self.mask_set.policy),
            (self.layouts[1], self.mask_set.critic),
        )
        return [member for layout, masks in networks if masks is not None for member in layout.split(masks)]

    def restore_masks(self, version: int, policy: list[Tensor], critic: list[Tensor]) -> None:
        """Publish what `masks_state` returned."""
        restored_policy, restored_critic = (
            layout.from_tensors([tensor.to(self.device) for tensor in tensors])
            for layout, tensors in zip(self.layouts, (policy, critic), strict=True)
        )
        self.mask_set = MaskSet(version, restored_policy, restored_critic, self.shared)

    def task_sizes(self) -> tuple[TaskSize, TaskSize]:
        """Count what a task keeps of the policy and of a Q network."""
        policy, critic = (
            TaskSize(*layout.kept_parameters(self._config.masks.pruning_ratio)) for layout in self.layouts
        )
        return policy, critic if self.n_masked > 1 else self._agent.critic.task_size()


def perceptron(network: BaseNetwork) -> MaskedMLP:
    """Return a network that masks can cut, which the configuration has seen to."""
    assert isinstance(network, MaskedMLP)
    return network
