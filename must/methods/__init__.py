"""The methods that are compared.

Each is an `Agent` that defines its networks, its losses, and what happens between epochs;
``docs/adding-a-method.md`` shows how to add one.
"""

from __future__ import annotations

import torch

from must.algorithms import Agent
from must.config import RunConfig
from must.methods.equal_cost import EqualCostAgent
from must.methods.fixed_masks import SharedSparseAgent, StaticSparseAgent
from must.methods.gradient_surgery import CagradAgent, PcgradAgent
from must.methods.magnitude import MagnitudeAgent
from must.methods.masked import MaskedAgent
from must.methods.mtmh_sac import MultiHeadAgent
from must.methods.must import MustAgent
from must.methods.paco import PacoAgent
from must.methods.single_task import SingleTaskAgent
from must.methods.soft_modularization import SoftModularizationAgent
from must.methods.t3s import T3sAgent

AGENTS: dict[str, type[Agent]] = {
    "must": MustAgent,
    "mt_sac": Agent,
    "mtmh_sac": MultiHeadAgent,
    "soft_modularization": SoftModularizationAgent,
    "pcgrad": PcgradAgent,
    "cagrad": CagradAgent,
    "paco": PacoAgent,
    "t3s": T3sAgent,
    "static_sparse": StaticSparseAgent,
    "shared_sparse": SharedSparseAgent,
    "magnitude": MagnitudeAgent,
    "equal_cost": EqualCostAgent,
    "single_task": SingleTaskAgent,
}
"""Name of each method, as in ``must.config.METHODS`` -> its agent."""


def make_agent(config: RunConfig, device: torch.device) -> Agent:
    """Make the agent of a run.

    A method whose pruning ratio is 0 has nothing to mask: it is ``mt_sac``.
    """
    return AGENTS["mt_sac" if config.is_multi_task_sac else config.method](config, device)


__all__ = ["AGENTS", "MaskedAgent", "MustAgent", "make_agent"]
