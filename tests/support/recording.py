"""What a computation asks of PyTorch."""

from collections import Counter
from collections.abc import Callable, Iterable

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WAITS = {"_local_scalar_dense", "is_nonzero", "equal", "nonzero", "masked_select", "unique", "item", "lift_fresh"}
"""Operations that need to know on the host what is on the device, or the other way round: errors in a CUDA graph."""

UNORDERED = {"index_add", "index_put", "scatter_add", "scatter_reduce", "put", "bincount", "embedding_dense_backward"}
"""Operations that add up in whatever order a GPU's threads come, or whose backward pass does."""


class Recorder(TorchDispatchMode):
    """Counts the operations that run, by name; in place or not is the same."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = Counter[str]()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.counts[func.name().removeprefix("aten::").partition(".")[0].rstrip("_")] += 1
        return func(*args, **(kwargs or {}))

    @property
    def names(self) -> set[str]:
        """The operations that ran."""
        return set(self.counts)


class GraphTwin(TorchDispatchMode):
    """What a CUDA graph does, on the CPU: operations run again on the very tensors that they were recorded with.

    Unlike `must.algorithms.cpu_recording` it keeps every intermediate tensor in its place. What is decided on the host
    while they are recorded, numbers as well as which tensors are read, is as it was then.
    A graph is not run while it is recorded; this is, so its first replay is left out.
    """

    recorded = True

    def __init__(self, step: Callable[[], None], generators: Iterable[torch.Generator]) -> None:
        super().__init__()
        self._operations: list = []
        self._taken = True
        self.names: set[str] = set()
        self._seeds = [generator.initial_seed() for generator in generators]
        with self:
            step()
        assert not self.names & (WAITS | UNORDERED)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name().removeprefix("aten::").partition(".")[0].rstrip("_")
        if name != "scatter_add" or args[2].shape[args[1]] > 1:  # else nothing is added up
            self.names.add(name)
        kwargs = kwargs or {}
        for value in kwargs.values():
            assert not isinstance(value, torch.Generator) or value.initial_seed() in self._seeds
        outputs = func(*args, **kwargs)
        self._operations.append((func, args, kwargs, outputs))
        return outputs

    def replay(self) -> None:
        if self._taken:
            self._taken = False
            return
        with torch.no_grad():
            for func, args, kwargs, outputs in self._operations:
                for place, value in zip(tree_leaves(outputs), tree_leaves(func(*args, **kwargs)), strict=True):
                    if isinstance(place, torch.Tensor) and place.data_ptr() != value.data_ptr():
                        place.detach().copy_(value)
