"""How many operations a step starts: on a GPU launching them takes longer than running them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


def count_kernels(step: Callable[[], object], device: torch.device) -> int:
    """Count the kernels that a step starts on a GPU; on the CPU, PyTorch's operations.

    Args:
        step: Called twice; it must not be recorded as a graph.
        device: Where it runs.
    """
    step()
    if device.type != "cuda":
        counter = _Counter()
        with counter:
            step()
        return counter.count
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        step()
        torch.cuda.synchronize(device)
    return sum(event.device_type.name == "CUDA" for event in profiler.events())


class _Counter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))
