"""Sparse networks whose masks never change: the controls of learned masks."""

from __future__ import annotations

from must.methods.masked import MaskedAgent


class StaticSparseAgent(MaskedAgent):
    """Multi-task SAC under one mask for each task, the one that MUST starts with: are masks worth *learning*?"""


class SharedSparseAgent(MaskedAgent):
    """Multi-task SAC under one mask for all tasks, the first one's: is it worth anything that each has *its own*?"""

    shares_masks = True
