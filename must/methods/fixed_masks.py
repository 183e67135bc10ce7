"""Sparse networks whose masks never change: the controls of learned masks."""

from __future__ import annotations

from must.methods.masked import MaskedAgent


class StaticSparseAgent(MaskedAgent):
    """Multi-task SAC under one random mask for each task: is it worth anything to *learn* masks?"""

    def before_epoch(self, number: int) -> None:
        """Publish the masks before the first training epoch."""
        if number == 1:
            self.publish_random_masks()


class SharedSparseAgent(StaticSparseAgent):
    """Multi-task SAC under one random mask for all tasks: is it worth anything that tasks have masks of *their own*?"""

    shares_masks = True
