"""The device of a learner, and what concerns all of its process: threads, precision, and which kernels are taken."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from must.config.training import TrainingConfig
from must.errors import ConfigError
from must.memory import keep_freed_memory

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
"""Without it, products on several streams may take another kernel, and round otherwise, from one time to the next."""


def resolve_device(name: str) -> torch.device:
    """Return the device that a configuration's name stands for.

    Raises:
        ConfigError: ``cuda`` was asked for, and there is none.
    """
    os.environ.setdefault(WORKSPACE, ":4096:8")  # cuBLAS reads it at its first product
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ConfigError(
            "training.device: cuda was asked for, but torch sees no GPU; use cpu or auto (see must doctor)"
        )
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def prepare_process(training: TrainingConfig) -> None:
    """Set what all threads of this process share; runs that differ in it cannot be trained in one process at a time.

    Numbers below 1e-38 are taken for zero. The first moment in Adam of a weight that gets no gradient any more shrinks
    down to them and never to zero, and processors are slow with them; the weight itself is the same either way.
    """
    torch.set_flush_denormal(True)  # before the threads are made: they take it over
    torch.set_num_threads(training.threads)
    torch.set_float32_matmul_precision(training.matmul_precision)
    keep_freed_memory()
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False


def process_settings(training: TrainingConfig) -> tuple[object, ...]:
    """Return what `prepare_process` sets."""
    return training.threads, training.matmul_precision


@contextmanager
def own_stream(device: torch.device) -> Iterator[None]:
    """Work on a stream of its own: kernels of several runs then overlap, and none waits for another's."""
    if device.type != "cuda":
        yield
        return
    with torch.cuda.device(device), torch.cuda.stream(torch.cuda.Stream(device)):
        yield
