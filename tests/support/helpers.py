"""What tests share: small configurations, and reference implementations that are plain instead of fast."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from must.buffers import Batch
from must.config import RunConfig, parse_experiment, parse_sweep
from must.errors import ConfigError
from must.masks import MaskLayout, SubNetworks, WeightMasks, top_k_mask
from must.types import ACTION_DIM, OBS_DIM, Trajectories

ROOT = Path(__file__).resolve().parents[2]
SMALL: dict[str, Any] = {
    "env": {"tasks": ["reach-v3", "drawer-close-v3", "push-v3"], "horizon": 10},
    "network": {"hidden_sizes": [12, 9]},
    "sac": {"batch_size_per_task": 8, "buffer_size": 300},
    "masks": {"granularity": "neuron", "update_interval": 2, "max_churn": 0.5},
    "generator": {"hidden_size": 8},
    "training": {"epochs": 4, "pretrain_epochs": 1, "epoch_frames": 10, "opt_times": 3, "device": "cpu"},
    "evaluation": {"interval": 2, "episodes": 1},
}


def tracked_names(folder: str = ".") -> list[str]:
    """Return the paths of the files below a folder that git keeps."""
    command = ["git", "ls-files", "-z", folder]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return listed.split("\0")[:-1]


def small_config(**sections: dict[str, Any]) -> RunConfig:
    """Return the settings of a run of seconds, with some keys changed: small_config(masks={"pruning_ratio": 0})."""
    return parse_experiment(merged(SMALL, sections)).run_config()


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of nested settings with changes laid over it."""
    result = dict(base)
    for key, value in changes.items():
        result[key] = merged(base.get(key, {}), value) if isinstance(value, dict) else value
    return result


def refusal(settings: dict[str, Any]) -> str:
    """Return why whoever starts an experiment is refused; a run directory with its settings is still what it is."""
    with pytest.raises(ConfigError) as caught:
        parse_sweep(settings, source="file.yaml")
    parse_experiment(settings)
    return str(caught.value)


def random_batch(n_tasks: int, rows: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Batch:
    """Return a batch of random transitions."""
    rng = torch.Generator().manual_seed(seed)
    observations, next_observations = torch.randn(2, n_tasks, rows, OBS_DIM, generator=rng, dtype=dtype)
    actions = torch.rand(n_tasks, rows, ACTION_DIM, generator=rng, dtype=dtype) * 2 - 1
    rewards = torch.rand(n_tasks, rows, generator=rng, dtype=dtype)
    return Batch(observations, actions, next_observations, rewards)


def random_trajectories(n_tasks: int, steps: int = 11, seed: int = 0, of_each: int = 1) -> Trajectories:
    """Return random trajectories of some steps, the same number for each task."""
    shape = n_tasks * of_each, steps, OBS_DIM
    observations = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return Trajectories(observations, np.repeat(np.arange(n_tasks), of_each))


def random_masks(layout: MaskLayout, ratio: float, n_members: int, n_tasks: int) -> WeightMasks | SubNetworks:
    """Return published random masks of exact density."""
    generator = torch.Generator().manual_seed(3)
    members = [
        [
            top_k_mask(torch.rand(n_tasks, torch.Size(shape).numel(), generator=generator), k)
            for shape, k in zip(layout.shapes, layout.kept(ratio), strict=True)
        ]
        for _ in range(n_members)
    ]
    return layout.publishable(layout.assemble(members))


def relative_error(value: Tensor, reference: Tensor) -> float:
    """Return |value - reference| / |reference|."""
    return float(((value - reference).norm() / reference.norm().clamp_min(1e-30)).detach())
