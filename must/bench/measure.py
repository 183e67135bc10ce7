"""Measuring: warm-up, medians, spread, and the machine's own speed to compare with."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np
import torch

from must.checkout import git_state
from must.environment import cores_here
from must.manifest import cpu_name
from must.networks.matmul import affine


@dataclass(frozen=True)
class Measurement:
    """How long something takes, or another figure."""

    name: str
    median: float
    low: float
    """Tenth percentile."""
    high: float
    """Ninetieth percentile."""
    repeats: int
    unit: str = "ms"
    gflop: float | None = None
    """Counted floating-point operations of the matrix products, in 10^9."""
    peak_share: float | None = None
    """Of the rate that this machine reaches in one large matrix product."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that there are."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def figure(name: str, value: float, unit: str) -> Measurement:
    """Return a figure that is the same whenever it is looked at."""
    return Measurement(name, value, value, value, 1, unit)


def from_seconds(name: str, seconds: Sequence[float], gflop: float | None = None) -> Measurement:
    """Summarise times."""
    low, median, high = (1e3 * float(x) for x in np.percentile(seconds, (10, 50, 90)))
    return Measurement(name, median, low, high, len(seconds), gflop=gflop)


def measure(
    name: str,
    function: Callable[[], object],
    repeats: int,
    device: torch.device,
    gflop: float | None = None,
    warm_up: int = 3,
    per_call: int = 1,
) -> Measurement:
    """Call a function again and again, and time each call.

    Args:
        name: What is measured.
        function: Called ``warm_up + repeats`` times.
        repeats: Calls that count.
        device: Waited for after each call.
        gflop: Counted operations of one call.
        warm_up: Calls before, that do not count.
        per_call: How often a call does what is measured; times are divided by it.
    """
    seconds = []
    for number in range(warm_up + repeats):
        start = time.perf_counter()
        function()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if number >= warm_up:
            seconds.append((time.perf_counter() - start) / per_call)
    measured = from_seconds(name, seconds, gflop)
    if gflop is None:
        return measured
    rate = 1e3 * gflop / measured.median
    return replace(measured, peak_share=rate / matrix_rate(device))


@cache
def matrix_rate(device: torch.device) -> float:
    """Return 10^9 operations a second of a large float32 matrix product, by the best kernel and the best of several."""
    size = 2048 if device.type == "cpu" else 8192
    first, second = torch.randn(2, size, size, device=device)
    kernels = (lambda: first @ second, lambda: affine(first[None], second[None], None))
    best = float("inf")
    for kernel in kernels * 8:
        start = time.perf_counter()
        kernel()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best / 1e9


def machine(device: torch.device) -> dict[str, Any]:
    """Describe what was measured on."""
    return {
        **git_state(),
        "cpu": cpu_name(),
        "cpu_cores": cores_here(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in ("torch", "numpy", "mujoco", "metaworld")},
        "matrix_gflop_per_s": matrix_rate(device),
    }
