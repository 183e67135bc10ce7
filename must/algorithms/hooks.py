"""No-op extension points of an agent, which methods override: in a gradient step, and between epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from torch import Tensor

from must.networks import TaskFunction
from must.types import Collected, Trajectories

NETWORKS = ("policy", "q1", "q2")
"""The networks that a method prunes or generates masks for."""


class TaskFunctions(NamedTuple):
    """The networks as a gradient step uses them."""

    policy: TaskFunction
    critic: TaskFunction
    target_critic: TaskFunction


class Hooks:
    """No-op hooks. Those of a gradient step must not synchronise with the device."""

    columns: tuple[str, ...] = ()
    """Columns of ``train.csv`` that only this method fills."""
    mask_metrics: tuple[str, ...] = ()
    """What a gradient step of a mask update reports beside what every step does."""

    updates_masks_apart = False
    """Whether the steps that learn masks leave the networks as they are."""

    @property
    def fading(self) -> bool:
        """Return whether the masks of the next gradient step are between one published set and the next."""
        return False

    # In a gradient step

    def _task_weights(self, of_policy: Tensor, of_critic: Tensor) -> Tensor | None:  # noqa: ARG002
        """Return the weights (K,) of the tasks in a step's losses, with mean 1, or None where all count the same.

        Args:
            of_policy: (K, B) losses of the policy, without gradient.
            of_critic: (2, K, B) losses of the Q networks, without gradient.
        """
        return None

    def combine_gradients(self, functions: TaskFunctions) -> None:
        """Combine the gradients of policy and critic into their ``flat``, after the backward pass."""

    def _after_step(self, learn_masks: bool) -> Sequence[Tensor]:  # noqa: ARG002
        """Run after the base networks' part of a gradient step; return what it reports after `METRICS`."""
        return ()

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

    def on_collected(self, collected: Sequence[Collected]) -> None:
        """Process what each of the K tasks collected in the epoch."""

    def begin_learning(self, number: int, trajectories: Callable[[], Trajectories | None]) -> dict[str, Any]:  # noqa: ARG002
        """Prepare the gradient steps of training epoch ``number``; return fields of ``train.csv``.

        Args:
            number: From 1.
            trajectories: Returns stored trajectories of the tasks; None before each task has finished an episode.
        """
        return {}

    def end_mask_update(self) -> dict[str, Any]:
        """Renew the masks, after the steps that learn them; return fields of ``train.csv``."""
        return {}

    def end_learning(self, number: int) -> dict[str, Any]:  # noqa: ARG002
        """Finish training epoch ``number``; return fields of ``train.csv``."""
        return {}

    # In a checkpoint and in the result

    def _method_state(self) -> dict[str, Any]:
        """Return what the method's future depends on beside networks, optimizers and masks; see `snapshot`."""
        return {}

    def _restore_method(self, state: dict[str, Any]) -> None:
        """Load what `_method_state` returned."""

    def _mask_learner_state(self) -> dict[str, Any]:
        """Return what only mask updates change; see `snapshot`."""
        return {}

    def _restore_mask_learner(self, state: dict[str, Any]) -> None:
        """Load what `_mask_learner_state` returned, from a whole snapshot."""

    def _generator_size(self) -> int:
        """Count the parameters of mask generators and encoders."""
        return 0
