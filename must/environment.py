"""What a process finds around it: the cores it may use, and variables that libraries read when they are imported."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Threads of the numerical libraries. Collection has one: with more, a product's last bits may differ."""

_lock = threading.RLock()


def cores_here() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def variables(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables, here and for processes that are started meanwhile; put back what there was.

    Other threads that want to do so wait.
    """
    with _lock:
        before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
