"""One seed, many independent random streams.

Every stream is addressed by what it is for, and a task's streams by the task's *name*: neither the number of workers
nor the other tasks of a run change the goals or the noise that a task sees.
"""

from __future__ import annotations

import zlib
from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What a random stream is for. The numbers are part of every result: never reuse or renumber one."""

    BASE_NETWORKS = 1
    GENERATORS = 2
    BATCHES = 3
    POLICY_NOISE = 4
    RANDOM_MASKS = 5
    MASK_NOISE = 6
    TRAJECTORIES = 7
    GOALS = 8
    COLLECTION = 9
    EVALUATION = 10
    SURGERY = 11
    MIXTURES = 12
    ENCODERS = 13


def seed_sequence(seed: int, stream: Stream, task: str | None = None) -> np.random.SeedSequence:
    """Return the seed of one stream, or of one task's part of it."""
    key = (int(stream),) if task is None else (int(stream), zlib.crc32(task.encode()))
    return np.random.SeedSequence(seed, spawn_key=key)


def numpy_rng(seed: int, stream: Stream, task: str | None = None) -> np.random.Generator:
    """Return a numpy generator for one stream."""
    return np.random.Generator(np.random.PCG64(seed_sequence(seed, stream, task)))


def integer_seed(seed: int, stream: Stream, task: str | None = None) -> int:
    """Return a 32-bit seed for a library that wants an integer (torch, Meta-World)."""
    return int(seed_sequence(seed, stream, task).generate_state(1, np.uint32)[0])
