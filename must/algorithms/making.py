"""Agents, put together from the parts that a configuration names."""

from __future__ import annotations

import torch

from must.algorithms.agent import Agent
from must.algorithms.parts import Parts
from must.config import RunConfig
from must.config.methods import KINDS


def make_agent(config: RunConfig, device: torch.device) -> Agent:
    """Make the agent of a run; with pruning ratio 0 there is nothing to prune, and it is that of multi-task SAC."""
    chosen = {part.kind: part.load() for part in config.trained.parts}
    return Agent(config, device, Parts(*(chosen[kind] for kind in KINDS)))
