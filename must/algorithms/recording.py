"""Steps that are recorded once and run again: a step of hundreds of kernels then costs one launch.

What was recorded reads and writes the tensors that it was recorded with. So what changes between epochs is copied to
where the recording looks for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

Step = Callable[[], None]


class Recording(Protocol):
    """A step that was recorded, and not taken."""

    recorded: bool
    """Whether it could be; otherwise it is taken as it is."""

    def replay(self) -> None:
        """Take it."""


Recorder = Callable[[Step, Iterable[torch.Generator]], Recording]
"""Records a step, with the generators that it draws from."""


class Inputs:
    """Tensors in any nesting, copied to a place of their own."""

    def __init__(self, values: Any) -> None:
        """Copy values, whose other leaves are kept as they are."""
        self._leaves, self._form = tree_flatten(values)
        self._source = list(self._leaves)
        self._leaves = [leaf.detach().clone() if isinstance(leaf, Tensor) else leaf for leaf in self._leaves]
        self.values: Any = tree_unflatten(self._leaves, self._form)
        """The copies, nested as they were."""

    def take_over(self, values: Any) -> bool:
        """Copy other values to the same places; return False, and copy nothing, where they do not fit there."""
        leaves, form = tree_flatten(values)
        if form != self._form or not all(map(_fits, self._leaves, leaves)):
            return False
        for place, before, leaf in zip(self._leaves, self._source, leaves, strict=True):
            if isinstance(leaf, Tensor) and leaf is not before:
                place.copy_(leaf)
        self._source = leaves
        return True


def _fits(place: Any, leaf: Any) -> bool:
    if isinstance(place, Tensor) and isinstance(leaf, Tensor):
        return place.shape == leaf.shape and place.dtype == leaf.dtype and place.device == leaf.device
    return type(place) is type(leaf) and bool(place == leaf)


class Places:
    """Tensors by name that stay where they are when their values are replaced, as long as their shapes do."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._held: dict[str, list[Tensor]] = {}
        self.version = 0
        """Changes whenever something got a new place: what was recorded before is void."""

    def put(self, name: str, values: Sequence[Tensor], learned: bool = False) -> list[Tensor]:
        """Put values where those of this name are; return the tensors there.

        Args:
            name: Of the tensors.
            values: Their values from now on.
            learned: Whether they have a gradient, which is 0 then.
        """
        held = self._held.get(name, [])
        if len(held) != len(values) or not all(map(_fits, held, values)):
            held = [value.detach().clone().requires_grad_(learned) for value in values]
            for place in held if learned else ():
                place.grad = torch.zeros_like(place)
            self._held[name] = held
            self.version += 1
            return held
        with torch.no_grad():
            for place, value in zip(held, values, strict=True):
                place.copy_(value)
                if place.grad is not None:
                    place.grad.zero_()
        return held


_one_at_a_time = threading.Lock()
"""Recording waits for the whole device first, which is an error while another thread records."""


class CudaRecording:
    """A step as a CUDA graph, recorded on the current stream. One that cannot be recorded is an error of CUDA's."""

    recorded = True

    def __init__(self, step: Step, generators: Iterable[torch.Generator]) -> None:
        """Record a step."""
        self._graph = torch.cuda.CUDAGraph()
        for generator in generators:
            self._graph.register_generator_state(generator)
        stream = torch.cuda.current_stream()
        # Other threads, which train other runs, may go on meanwhile.
        with _one_at_a_time, torch.cuda.graph(self._graph, stream=stream, capture_error_mode="thread_local"):
            step()

    def replay(self) -> None:
        """Take the step."""
        self._graph.replay()


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load an optimizer's state, which may be that of another kind of device; whether it can be recorded stays."""
    recorded = [group["capturable"] for group in optimizer.param_groups]
    optimizer.load_state_dict(state)
    for group, known in zip(optimizer.param_groups, recorded, strict=True):
        group["capturable"] = known
