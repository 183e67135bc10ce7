"""Gradient steps on a CPU as a list of PyTorch operations, recorded once and then run without what led to them.

In a step of small networks much of the time is spent on deciding which operation comes next: Python around the
operations, autograd's graph, views of tensors. All steps of a kind run the same operations, so they are recorded, and
torch.fx makes one function of them that does nothing else. The operations and their order are the same, and so is every
bit of the result.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from must.algorithms.recording import Step

_ON_THE_HOST = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
"""Of operations whose result the host has to know before it can go on."""


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
        self.recorded = not operations.host_reads
        """Whether it could be recorded."""
        self._taken = True
        self._replay = _function(operations.run) if self.recorded else step

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
        self.host_reads = False

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
        self.host_reads |= bool(_ON_THE_HOST & set(func.tags)) or func is torch.ops.aten.lift_fresh.default
        self.run.append(_Operation(func, args, kwargs or {}, outputs))
        return outputs


def _function(operations: list[_Operation]) -> Callable[[], None]:
    """Return a function that runs operations again.

    Tensors from outside are its constants. Those that an operation makes are made anew each time, and freed after their
    last use; views of them are one `as_strided` each, however they came about.
    """
    graph, constants = fx.Graph(), _Constants()
    made: dict[int, fx.Node] = {}  # storage -> the tensor that came with it
    nodes: dict[_Place, fx.Node] = {}

    def node_of(value: Any) -> Any:
        if isinstance(value, torch.Generator):
            return constants.node(graph, id(value), value)
        if not isinstance(value, Tensor):
            return value
        place = _Place.of(value)
        if place not in nodes:
            base = made.get(place.storage)
            if base is None:
                return constants.node(graph, place, value)
            where = (base, list(place.shape), list(place.strides), place.offset)
            nodes[place] = graph.call_function(torch.as_strided, where)
        return nodes[place]

    for operation in operations:
        if operation.is_view:
            continue
        node = graph.call_function(
            operation.function, tree_map(node_of, operation.args), tree_map(node_of, operation.kwargs)
        )
        if operation.changes_its_inputs:
            continue
        single = isinstance(operation.outputs, Tensor)
        for number, output in enumerate([operation.outputs] if single else operation.outputs):
            if isinstance(output, Tensor):
                mine = node if single else graph.call_function(operator.getitem, (node, number))
                nodes[_Place.of(output)] = made[_storage(output)] = mine
    graph.output(None)
    run, values = fx.GraphModule(torch.nn.Module(), graph).forward, constants.values

    def replay() -> None:
        with torch.no_grad():
            run(*values)

    return replay


class _Constants:
    """Values from outside of a graph: its arguments, which never change."""

    def __init__(self) -> None:
        self._nodes: dict[Any, fx.Node] = {}
        self.values: list[Any] = []

    def node(self, graph: fx.Graph, key: Any, value: Any) -> fx.Node:
        """Return the node of a value."""
        if key not in self._nodes:
            last = next(reversed(self._nodes.values()), None)
            with graph.inserting_after(last) if last else graph.inserting_before():
                self._nodes[key] = graph.placeholder(f"constant_{len(self.values)}")
            self.values.append(value)
        return self._nodes[key]


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


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _tensors(values: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]
