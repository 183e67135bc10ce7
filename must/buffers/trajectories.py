"""Trajectory store: the episodes that the mask generators look at."""

from __future__ import annotations

from collections import deque

import numpy as np

from must.types import Episode, Float32, Trajectories


class TrajectoryStore:
    """The newest whole training episodes of each task.

    At a task's first success its episodes are cleared; from then on only successful episodes enter.
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

    def window(self) -> Trajectories | None:
        """Return all stored episodes; None where a task has not finished one yet."""
        return _together([list(episodes) for episodes in self._episodes])

    def draw(self, rng: np.random.Generator) -> Trajectories | None:
        """Return one episode of each task; None where a task has not finished one yet.

        It is the newest one until the task's first success, a random one of the stored ones from then on.
        """
        if not all(self._episodes):
            return None
        return _together(
            [
                [episodes[int(rng.integers(len(episodes))) if succeeded else -1]]
                for episodes, succeeded in zip(self._episodes, self._succeeded, strict=True)
            ]
        )

    def state(self) -> tuple[list[list[Float32]], list[bool]]:
        """Return the episodes (T + 1, D) of each task, oldest first, and whether it has succeeded yet."""
        return [list(episodes) for episodes in self._episodes], list(self._succeeded)

    def restore(self, episodes: list[list[Float32]], succeeded: list[bool]) -> None:
        """Load what `state` returned."""
        for store, saved in zip(self._episodes, episodes, strict=True):
            store.clear()
            store.extend(saved)
        self._succeeded = list(succeeded)


def _together(episodes: list[list[Float32]]) -> Trajectories | None:
    """Stack the episodes (T + 1, D) of each task; return None where a task has none."""
    if not all(episodes):
        return None
    counts = [len(of_task) for of_task in episodes]
    stacked = np.stack([episode for of_task in episodes for episode in of_task])
    return Trajectories(stacked, np.repeat(np.arange(len(episodes)), counts))
