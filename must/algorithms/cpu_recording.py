"""Gradient steps on a CPU as a list of PyTorch operations, recorded once and then run without what led to them.

In a step of small networks much of the time is spent on deciding which operation comes next: Python around the
operations, autograd's graph, views of tensors. All steps of a kind run the same operations, so they are recorded, and
PyTorch's interpreter runs the list of them. The operations and their order are the same, and so is every bit of the
result.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from must.algorithms.interpreter import Program
from must.algorithms.recording import Step

if TYPE_CHECKING:
    from torch._C import Value

_LOG = logging.getLogger("must")
_ON_THE_HOST = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
"""Of operations whose result the host has to know before it can go on."""
_BY_NUMBERS = torch.ops.aten.index.Tensor
"""One of those, unless none of its indices is a mask."""


class CpuRecording:
    """A step's operations, on the very tensors that they were recorded with: parameters, buffers, batches, masks.

    Numbers and decisions of the host are as they were when the step was recorded, as in a CUDA graph. A step whose host
    reads what it has computed cannot be recorded; `replay` then takes the step itself.
    """

    def __init__(self, step: Step, generators: Iterable[torch.Generator] = ()) -> None:  # noqa: ARG002 (all are known)
        """Take a step and record it; the first replay, which is this step, does nothing."""
        operations = _Operations()
        with operations:
            step()
        self._taken = True
        self._replay: Callable[[], object] = step
        obstacle = operations.obstacle
        if obstacle is None:
            try:
                self._replay = _function(operations.run)
            except (AttributeError, RuntimeError, TypeError) as error:  # other versions may have another interpreter
                obstacle = f"what this version of PyTorch cannot run again: {error}"
        self.recorded = obstacle is None
        if obstacle is not None:
            _LOG.info("gradient steps are not recorded, and slower for it: they need %s", obstacle)

    def replay(self) -> None:
        """Take the step."""
        if self._taken:
            self._taken = False
            return
        self._replay()


class _Operation(NamedTuple):
    """A call of one of PyTorch's operations, autograd's included."""

    function: torch._ops.OpOverload
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: Any

    @property
    def host_reads(self) -> bool:
        """Whether the host has to know its result before it can go on, or gave it a value that it had worked out."""
        if self.function is _BY_NUMBERS:
            return any(index.dtype in (torch.bool, torch.uint8) for index in _tensors(self.args[1]))
        return bool(_ON_THE_HOST & set(self.function.tags)) or self.function is torch.ops.aten.lift_fresh.default

    @property
    def changes_its_inputs(self) -> bool:
        return bool(self.function._schema.is_mutable)

    @property
    def is_view(self) -> bool:
        """Whether it computes nothing: its outputs show the memory of its inputs."""
        inputs = {_storage(tensor) for tensor in _tensors((self.args, self.kwargs))}
        return not self.changes_its_inputs and all(_storage(tensor) in inputs for tensor in _tensors(self.outputs))


class _Operations(TorchDispatchMode):
    """Keeps the operations that run, in order, and with them all of their tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.run: list[_Operation] = []
        self.obstacle: str | None = None
        """Why they cannot be run again without the host, if they cannot."""

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        outputs = func(*args, **(kwargs or {}))
        if func.namespace == "profiler":
            return outputs
        operation = _Operation(func, args, kwargs or {}, outputs)
        if self.obstacle is None and operation.host_reads:
            self.obstacle = f"the result of {func} on the host"
        self.run.append(operation)
        return outputs


def _function(operations: list[_Operation]) -> Callable[[], None]:
    """Return a function that runs operations again.

    Tensors from outside are its inputs. Those that an operation makes are made anew each time, and freed after their
    last use; views of them are one `as_strided` each, however they came about.
    """
    program, (computing, moved) = Program(), _without_copies([each for each in operations if not each.is_view])
    made: dict[int, Value] = {}  # storage -> the tensor that came with it
    values: dict[_Place, Value] = {}

    def tensor_value(tensor: Tensor) -> Value:
        place = _Place.of(tensor)
        while place.storage in moved:
            storage, offset = moved[place.storage]
            place = place._replace(storage=storage, offset=place.offset + offset)
        if place not in values:
            base = made.get(place.storage)
            if base is None:
                values[place] = program.add_input(tensor, torch._C.TensorType.get())
            else:
                where = base, list(place.shape), list(place.strides), place.offset
                (values[place],) = program.call(torch.ops.aten.as_strided.default, where, {})
        return values[place]

    for operation in computing:
        args, kwargs = tree_map_only(Tensor, tensor_value, (operation.args, operation.kwargs))
        outputs = program.call(operation.function, args, kwargs)
        if not operation.changes_its_inputs:
            single = isinstance(operation.outputs, Tensor)
            for tensor, value in zip([operation.outputs] if single else operation.outputs, outputs, strict=True):
                if isinstance(tensor, Tensor):
                    values[_Place.of(tensor)] = made[_storage(tensor)] = value
    return program.compiled()


def _without_copies(operations: list[_Operation]) -> tuple[list[_Operation], dict[int, tuple[int, int]]]:
    """Leave out copies of what is never used again: autograd makes one of each gradient that somebody else holds.

    Args:
        operations: Those that compute something, in order.

    Returns:
        The others, and the storages that are not made any more: storage -> the one in its place, and its first element.
    """
    made, last_use = set[int](), dict[int, int]()
    for number, operation in enumerate(operations):
        last_use |= {_storage(tensor): number for tensor in _tensors((operation.args, operation.kwargs))}
        if not operation.changes_its_inputs:
            made |= {_storage(tensor) for tensor in _tensors(operation.outputs)}
    kept, moved = list[_Operation](), dict[int, tuple[int, int]]()
    for number, operation in enumerate(operations):
        if operation.function is torch.ops.aten.copy_.default and kept:
            (copy, original), room = operation.args[:2], kept[-1]
            place, source = _Place.of(copy), _Place.of(original)
            fresh = room.function is torch.ops.aten.new_empty_strided.default and _Place.of(room.outputs) == place
            if fresh and last_use[source.storage] == number and source.storage in made and place.shows_as(source):
                kept.pop()
                moved[place.storage] = source.storage, source.offset
                continue
        kept.append(operation)
    return kept, moved


class _Place(NamedTuple):
    """Where a tensor's elements are: two tensors at the same place are one."""

    storage: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: torch.dtype

    @staticmethod
    def of(tensor: Tensor) -> _Place:
        """Return where a tensor is."""
        offset = int(tensor.storage_offset())
        return _Place(_storage(tensor), offset, tuple(tensor.shape), tensor.stride(), tensor.dtype)

    def shows_as(self, other: _Place) -> bool:
        """Whether two tensors' elements lie alike, each in its own storage."""
        return self[2:] == other[2:]


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _tensors(values: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]
