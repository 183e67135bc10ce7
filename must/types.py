"""Data that travels between the rooms of the package, in numpy only: collection workers do not import torch.

Axis letters, used in all docstrings: K tasks, B batch rows per task, T time steps of an episode, D features,
H hidden units, E ensemble members (1 policy, 2 Q networks).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]

OBS_DIM = 39
"""Features of Meta-World's observation: hand, gripper and objects now and one step before, and the goal."""
ACTION_DIM = 4
"""Features of Meta-World's action: three moves of the hand and the gripper's effort, each in [-1, 1]."""
LOG_STD_MIN, LOG_STD_MAX = -20.0, 2.0
"""Bounds of the policy's log standard deviation."""
LAYER_NORM_EPSILON = 1e-5
"""Added to the variance that layer normalisation divides by."""


@dataclass(frozen=True)
class Episode:
    """A whole training episode of one task."""

    observations: Float32
    """(T + 1, D): the first observation and the one after each step."""
    success: bool
    """Whether the success flag was 1 at any step."""


@dataclass(frozen=True)
class Trajectories:
    """Stored episodes of all K tasks, at least one of each."""

    observations: Float32
    """(N, T + 1, D)"""
    tasks: npt.NDArray[np.int64]
    """(N,): number of the task that each episode belongs to, ascending."""


@dataclass(frozen=True)
class Collected:
    """What one task collected in an epoch of T steps."""

    observations: Float32
    """(T, D)"""
    actions: Float32
    """(T, 4)"""
    rewards: Float32
    """(T,): Meta-World's reward, normalised where ``env.reward_normalisation`` says so, unscaled."""
    next_observations: Float32
    """(T, D)"""
    episodes: tuple[Episode, ...]
    """The episodes that ended in this epoch."""


@dataclass(frozen=True)
class EvalResult:
    """An evaluation of K tasks."""

    success: npt.NDArray[np.float64]
    """(K,): share of the episodes in which the success flag was 1 at any step."""
    returns: npt.NDArray[np.float64]
    """(K,): mean undiscounted return, of the unscaled reward."""
