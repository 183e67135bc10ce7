"""What an agent is made of: an architecture, a weighting of the tasks, a rule for their gradients, a source of masks.

The classes here are the parts of multi-task SAC; rooms of methods (`must.methods`) bring others. What runs in a
gradient step must not synchronise with the device, and whatever changes from step to step lives in tensors or in the
agent's random streams.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from torch import Tensor

from must.config import RunConfig
from must.networks import BaseNetwork, HiddenLayers, TaskFunction
from must.types import Collected

if TYPE_CHECKING:
    from must.algorithms.agent import Agent
    from must.algorithms.masking import MaskSource


class Architecture(Protocol):
    """Draws base networks from torch's global generator."""

    def __call__(
        self, config: RunConfig, n_members: int, in_dim: int, out_dim: int, hidden: HiddenLayers
    ) -> BaseNetwork:
        """Draw E networks.

        Args:
            config: The run's settings.
            n_members: E, 1 for the policy and 2 for the Q networks.
            in_dim: Features of the input, without the one-hot.
            out_dim: Features of the output.
            hidden: How hidden layers are initialised and evaluated.
        """
        ...


class StepKind(Enum):
    """Kinds of gradient steps; those of a kind do the same operations."""

    ORDINARY = auto()
    FADING = auto()
    """The masks are on their way from one published set to the next."""
    ARRIVING = auto()
    """The last one on this way, where target networks waited for it: one in a renewal, and never recorded."""
    LEARNING = auto()
    """Masks are learned."""


class TaskFunctions(NamedTuple):
    """The networks as a gradient step uses them."""

    policy: TaskFunction
    critic: TaskFunction
    target_critic: TaskFunction


class TaskWeights(NamedTuple):
    """Weights (K,) of the tasks in a step's losses, with mean 1; None where all count the same."""

    policy: Tensor | None = None
    critic: Tensor | None = None


class Component:
    """What parts have in common: they follow the epochs, and have a state."""

    columns: tuple[str, ...] = ()
    """Columns of ``train.csv`` that only runs with this part have."""

    def __init__(self, agent: Agent) -> None:
        """Take the agent, whose networks, optimizers and random streams are there."""
        self._agent, self._config = agent, agent.config
        self.n_tasks, self.device = agent.n_tasks, agent.device

    def on_collected(self, collected: Sequence[Collected]) -> None:
        """Process what each of the K tasks collected in the epoch."""

    def end_learning(self, number: int) -> dict[str, Any]:  # noqa: ARG002
        """Finish training epoch ``number``; return fields of ``train.csv``."""
        return {}

    def state(self) -> dict[str, Any]:
        """Return what the part's future depends on beside networks, optimizers and published masks: plain data."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state` returned, which may stand among the states of other parts."""


class TaskWeighting(Component):
    """What each task counts in the losses: here, all the same."""

    def weights(self, of_policy: Tensor, of_critic: Tensor) -> TaskWeights:  # noqa: ARG002
        """Return the tasks' weights in a step.

        Args:
            of_policy: (K, B) losses of the policy, without gradient.
            of_critic: (2, K, B) losses of the Q networks, without gradient.
        """
        return TaskWeights()

    def after_step(self, critic_losses: Callable[[], Tensor]) -> None:
        """Run after the networks have moved.

        Args:
            critic_losses: Computes (2, K, B) losses of the Q networks as they are now, on the step's batch and targets.
        """


class GradientRule(Component):
    """How the tasks' gradients are combined: here, they are added up."""

    def prepare(self, functions: TaskFunctions) -> TaskFunctions:
        """Return the networks as the step is to use them."""
        return functions

    def backward(self, functions: TaskFunctions, loss: Tensor, of_tasks: Callable[[], Tensor]) -> None:  # noqa: ARG002
        """Compute the gradients of policy and Q networks in their ``flat``, and those of masks that are learned.

        Args:
            functions: What `prepare` returned.
            loss: Sum of all losses, means over the tasks.
            of_tasks: Returns (K,) the tasks' shares of it, times K.
        """
        loss.backward()
        for network in (self._agent.policy, self._agent.critic):
            if not network.shares_parameters:  # undo that losses are averaged over tasks
                assert network.flat.grad is not None
                network.flat.grad.mul_(self.n_tasks)


class Parts(NamedTuple):
    """What an agent is made of."""

    architecture: Architecture
    task_weighting: type[TaskWeighting]
    gradient_rule: type[GradientRule]
    masks: type[MaskSource]
