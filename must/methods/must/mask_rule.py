"""What decides which elements a renewal of the masks keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from must.config.schedule import swaps_allowed
from must.config.schema import RunConfig
from must.masks import MaskLayout, Rows
from must.types import Trajectories


class Published(NamedTuple):
    """The masks that a renewal starts from."""

    masks: Rows
    """Of zeros and ones."""
    most: list[list[int]]
    """For each masked network and shape, how many elements of a task's mask the renewal may swap."""

    @staticmethod
    def at(masks: Rows, layouts: Sequence[MaskLayout], config: RunConfig, number: int) -> Published:
        """Return the masks with the bounds of training epoch ``number``, from 1.

        Args:
            masks: As they are published.
            layouts: Of each masked network.
            config: The run's settings.
            number: The training epoch.
        """
        own, epochs = config.masks, config.training.epochs
        most = [
            [
                swaps_allowed(kept, number, epochs, own.freeze_after, own.max_churn)
                for kept in layout.kept(own.pruning_ratio)
            ]
            for layout in layouts
        ]
        return Published(masks, most)


class MaskRule(ABC):
    """Follows the gradient steps of an update epoch, and chooses at its end which masks come next."""

    metrics: tuple[str, ...] = ()
    """What `step` returns, by name."""
    in_place = False
    """Whether what the steps of an update read and gather is where it was in the update before."""
    places_version = 0
    """Changes when it is not, after all: its shapes are others."""

    @abstractmethod
    def begin_update(
        self, published: Published, trajectories: Trajectories | None, rng: torch.Generator
    ) -> dict[str, float]:
        """Begin an update; return fields of ``train.csv``.

        Args:
            published: The masks that are to be renewed.
            trajectories: Of the tasks; None where none are read.
            rng: Draws noise.
        """

    @abstractmethod
    def draw(self, rng: torch.Generator) -> Rows:
        """Return the masks of the next gradient step, with gradient; values are exactly 0 and 1."""

    @abstractmethod
    def step(self) -> list[Tensor]:
        """Learn from the gradient that the losses left; return the values of `metrics`."""

    @abstractmethod
    def finish_update(self) -> tuple[Rows, dict[str, float]]:
        """End the update; return the masks that come next, and fields of ``train.csv``."""
