"""Trajectory store: the episodes that the mask generators look at."""

from __future__ import annotations

from collections import deque

import numpy as np

from must.types import Episode, Float32


class TrajectoryStore:
    """The newest whole training episodes of each task.

    Until a task's first success its newest episode stands for it. At the first success its store is cleared; from then
    on only successful episodes enter, and one is drawn at random.
    """

    def __init__(self, n_tasks: int, window: int) -> None:
        """Make an empty store of the newest ``window`` episodes for each of K tasks."""
        self._episodes: list[deque[Float32]] = [deque(maxlen=window) for _ in range(n_tasks)]
        self._succeeded = [False] * n_tasks

    def add(self, task: int, episode: Episode) -> None:
        """Offer an episode that a task has just finished."""
        if episode.success and not self._succeeded[task]:
            self._succeeded[task] = True
            self._episodes[task].clear()
        if episode.success or not self._succeeded[task]:
            self._episodes[task].append(episode.observations)

    def draw(self, rng: np.random.Generator) -> Float32:
        """Give one trajectory of each task: (K, T + 1, D).

        Raises:
            IndexError: A task has not finished an episode yet.
        """
        chosen = []
        for episodes, succeeded in zip(self._episodes, self._succeeded, strict=True):
            chosen.append(episodes[int(rng.integers(len(episodes)))] if succeeded else episodes[-1])
        return np.stack(chosen)

    def state(self) -> tuple[list[list[Float32]], list[bool]]:
        """Give the episodes (T + 1, D) of each task, oldest first, and whether it has succeeded yet."""
        return [list(episodes) for episodes in self._episodes], list(self._succeeded)

    def restore(self, episodes: list[list[Float32]], succeeded: list[bool]) -> None:
        """Take over what `state` gave."""
        for store, saved in zip(self._episodes, episodes, strict=True):
            store.clear()
            store.extend(saved)
        self._succeeded = list(succeeded)
