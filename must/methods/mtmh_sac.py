"""Multi-task multi-head SAC (arXiv 1910.10897): a shared trunk, and a head for each task."""

from __future__ import annotations

from must.algorithms import Agent
from must.networks import MultiHeadMLP


class MultiHeadAgent(Agent):
    """Multi-task SAC whose policy and Q networks have a head for each task."""

    _perceptron = MultiHeadMLP
