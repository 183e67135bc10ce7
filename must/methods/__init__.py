"""The methods that are compared.

Each is an `Agent` that says what its networks are, what its losses are, and what it does between epochs;
``docs/adding-a-method.md`` shows how to add one.
"""

from __future__ import annotations

import torch

from must.algorithms import Agent
from must.config import RunConfig
from must.methods.masked import MaskedAgent
from must.methods.must import MustAgent

AGENTS: dict[str, type[Agent]] = {
    "must": MustAgent,
    "mt_sac": Agent,
}
"""Name of each method, as in ``must.config.METHODS`` -> its agent."""


def make_agent(config: RunConfig, device: torch.device) -> Agent:
    """Make the agent of a run.

    A method whose pruning ratio is 0 has nothing to mask: it is ``mt_sac``.
    """
    prunes = config.spec.reads_key("masks.pruning_ratio")
    return AGENTS["mt_sac" if prunes and config.dense else config.method](config, device)


__all__ = ["AGENTS", "MaskedAgent", "MustAgent", "make_agent"]
