"""Replay buffer: one ring for each task, all of the same length and filled in step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from must.types import ACTION_DIM, OBS_DIM, Collected

ROW_DIM = 2 * OBS_DIM + ACTION_DIM + 1
"""Features of a stored transition: observation, action, next observation, reward."""


class Batch(NamedTuple):
    """A batch of transitions, the same number of rows for each task."""

    observations: Tensor
    """(K, B, D)"""
    actions: Tensor
    """(K, B, 4)"""
    next_observations: Tensor
    """(K, B, D)"""
    rewards: Tensor
    """(K, B)"""
    terminal: Tensor | None = None
    """(K, B): whether the episode ended for good, where time limits do that."""


class ReplayBuffer:
    """The newest transitions of K tasks.

    No terminal flag is stored: only time limits end an episode, and a row's number says whether it was the last one.
    """

    def __init__(self, n_tasks: int, size: int, device: torch.device, terminal_after: int | None = None) -> None:
        """Reserve room; the operating system hands it out as it is filled.

        Args:
            n_tasks: K.
            size: Transitions of all tasks together; each task has a K-th of it.
            device: Where the rows lie.
            terminal_after: Steps of an episode whose last one is terminal, or None where no step is.
        """
        self.capacity = size // n_tasks
        self._rows = torch.empty(n_tasks, self.capacity, ROW_DIM, device=device)
        self._flat = self._rows.view(-1, ROW_DIM)
        self._overwritten = 0, self._rows[:, :0]
        self._first_rows = torch.arange(n_tasks, device=device).unsqueeze(1) * self.capacity
        self._terminal_after = terminal_after
        self._length = torch.zeros((), dtype=torch.float64, device=device)  # captured steps read these there
        self._total = torch.zeros((), dtype=torch.int64, device=device)
        self.added = 0

    @property
    def added(self) -> int:
        """Rows that each task was ever given."""
        return self._added

    @added.setter
    def added(self, rows: int) -> None:
        self._added = rows
        self._length.fill_(len(self))
        self._total.fill_(rows)

    def __len__(self) -> int:
        """Rows that each task has now."""
        return min(self.added, self.capacity)

    def add(self, collected: list[Collected]) -> None:
        """Append the T steps of each of the K tasks, over the oldest ones when the ring is full."""
        rows = np.stack(
            [
                np.concatenate((c.observations, c.actions, c.next_observations, c.rewards[:, None]), axis=1)
                for c in collected
            ]
        )
        self.append_rows(torch.from_numpy(rows))

    def append_rows(self, rows: Tensor) -> None:
        """Append rows (K, T, ROW_DIM) with T no larger than the capacity."""
        where = self._slots(self.added, self.added + rows.shape[1])
        self._overwritten = self.added, self._rows[:, where]
        self._rows[:, where] = rows.to(self._rows.device)
        self.added += rows.shape[1]

    def go_back(self, added: int) -> None:
        """Undo the last addition, even one that was interrupted, if ``added`` is what there was before it."""
        before, rows = self._overwritten
        if before == added:
            self._rows[:, self._slots(before, before + rows.shape[1])] = rows
            self.added = before

    def rows(self, start: int, stop: int) -> Tensor:
        """Return the rows (K, stop - start, ROW_DIM) by their running number; they must still be in the ring."""
        return self._rows[:, self._slots(start, stop)].cpu()

    def sample(self, rows_per_task: int, generator: torch.Generator) -> Batch:
        """Draw rows of every task, uniformly and with replacement."""
        n_tasks = len(self._rows)
        shares = torch.rand(n_tasks, rows_per_task, generator=generator, device=self._rows.device, dtype=torch.float64)
        chosen = (shares * self._length).long()
        rows = self._flat.index_select(0, (chosen + self._first_rows).view(-1)).view(n_tasks, rows_per_task, ROW_DIM)
        observations, actions, next_observations, rewards = rows.split((OBS_DIM, ACTION_DIM, OBS_DIM, 1), dim=-1)
        return Batch(observations, actions, next_observations, rewards.squeeze(-1), self._terminal(chosen))

    def _terminal(self, slots: Tensor) -> Tensor | None:
        """Return which of these slots of the ring hold the last step of an episode, if that is terminal."""
        if self._terminal_after is None:
            return None
        newest = self._total - 1
        age = (newest - slots) % self.capacity  # rows that came after it
        return (newest - age + 1) % self._terminal_after == 0

    def _slots(self, start: int, stop: int) -> Tensor:
        return torch.arange(start, stop, device=self._rows.device) % self.capacity
