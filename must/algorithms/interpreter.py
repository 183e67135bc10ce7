"""A list of PyTorch's operations, run by PyTorch's own interpreter: that of TorchScript.

TorchScript's compiler is not asked: the list is put together from the operations that ran. What PyTorch offers in its
place (`torch.compile`) needs a compiler of C++ on the machine, and may round otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:  # where a version of PyTorch has no such thing, its steps are not recorded, and that is all
    from torch._C import JitType, Value

_AS_INPUTS = torch.Generator, torch.dtype, torch.layout, torch.memory_format
"""Arguments that cannot be constants in the list."""


class Program:
    """A list of operations for PyTorch's own interpreter, which runs them without Python."""

    def __init__(self) -> None:
        self._graph: Any = torch._C.Graph()  # whose type is not all declared
        self._inputs: list[Any] = []
        self._known: dict[Any, Value] = {}
        self._drawn: list[Value] = []

    def add_input(self, given: Any, kind: JitType) -> Value:
        """Add an input, the same at each run; return its value in the list."""
        value: Value = self._graph.addInput()
        value.setType(kind)
        self._inputs.append(given)
        return value

    def call(self, function: torch._ops.OpOverload, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
        """Add a call of an operation; return the values of what it returns.

        Args:
            function: The operation.
            args: Its arguments, with values in place of tensors.
            kwargs: The same, by their names.
        """
        arguments = function._schema.arguments
        given = dict(zip((argument.name for argument in arguments), args, strict=False)) | dict(kwargs)
        values = [
            self._value(given.get(argument.name, argument.default_value), argument.type) for argument in arguments
        ]
        node = self._node(function._schema.name, values, len(function._schema.returns))
        if node.schema() == "(no schema)":
            raise RuntimeError(f"{function} of {[value.type().annotation_str for value in values]}")
        outputs = list(node.outputs())
        if any(isinstance(argument, torch.Generator) for argument in given.values()):
            self._drawn += outputs
        for output, returned in zip(outputs, function._schema.returns, strict=True):
            output.setType(returned.type)
        return outputs

    def compiled(self) -> Callable[[], None]:
        """Return what runs the list. It returns all that is drawn: what nobody uses would not be drawn."""
        results = self._node("prim::TupleConstruct", self._drawn).output()
        results.setType(torch._C.TupleType([value.type() for value in self._drawn]))
        self._graph.registerOutput(results)
        run, inputs = torch._C._create_function_from_graph("replay", self._graph), self._inputs
        optimized: Callable[[bool], Any] = torch.jit.optimized_execution  # type: ignore[attr-defined]

        def replay() -> None:
            with torch.no_grad(), optimized(False):  # optimizations may round otherwise
                run(*inputs)

        return replay

    def _node(self, name: str, inputs: Sequence[Value], n_outputs: int = 1) -> Any:
        return self._graph.insertNode(self._graph.create(name, inputs, n_outputs))

    def _value(self, given: Any, kind: JitType) -> Value:
        """Return the value of an argument of some kind."""
        if isinstance(given, torch._C.Value):
            return given
        if isinstance(given, _AS_INPUTS):
            key = given, kind.annotation_str
            if key not in self._known:
                self._known[key] = self.add_input(given, kind)
            return self._known[key]
        if isinstance(given, list | tuple) and (not given or any(isinstance(item, torch._C.Value) for item in given)):
            items = [self._value(item, torch._C.NoneType.get()) for item in given]
            value: Value = self._node("prim::ListConstruct", items).output()
            value.setType(kind)
        else:
            value = self._graph.insertConstant(list(given) if isinstance(given, tuple) else given)
        return value
