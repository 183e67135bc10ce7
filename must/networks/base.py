"""What an agent asks of a base network, whatever it is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple, Protocol

from torch import Tensor, nn

from must.masks import Masks
from must.numpy_policy import NumpyPolicy


class TaskFunction(Protocol):
    """A network as the tasks use it in a gradient step: its parameters, put together once to be used several times."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Evaluate all E members: (K, B, D_in) -> (E, K, B, D_out)."""
        ...

    def forward_pair(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate at two batches, each (K, B, D_in) -> (E, K, B, D_out).

        The gradient of the first outputs goes to the parameters and not to the inputs, that of the second ones to the
        inputs and not to the parameters.
        """
        ...

    def to_numpy(self, version: int) -> NumpyPolicy:
        """Return the first member as collectors run it, in numpy; ``version`` is that of the mask set."""
        ...


class TaskSize(NamedTuple):
    """Parameters that one task uses of one member."""

    weights: int
    biases: int


class BaseNetwork(nn.Module, ABC):
    """E networks of the same shape (a policy, or two Q networks)."""

    flat: nn.Parameter
    """(E, ..., P): all parameters. One tensor, so that whatever concerns all alike (optimizer, clipping, targets) is
    one operation; the gradient is clipped over the last axis."""

    shares_parameters = True
    """Whether tasks have parameters in common."""

    @abstractmethod
    def task_parameters(self, masks: Masks) -> TaskFunction:
        """Return the parameters that each task uses under masks of this network (None: all of them), as a function."""

    def task_copies(self) -> tuple[TaskFunction, Tensor] | None:
        """Return what each task uses of a copy of its own, and the copies (E, K, P); None where that is not faster.

        A gradient step on all tasks' losses then finds the gradient of each in one backward pass.
        """
        return None

    @abstractmethod
    def task_size(self) -> TaskSize:
        """Count what a task uses where nothing is masked."""

    @property
    def size(self) -> int:
        """Parameters of one member, those of all tasks."""
        return self.flat[0].numel()
