"""Replay buffer: one ring for each task, all of the same length and filled in step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from must.config import RunConfig
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
    """(K, B, D): what the target bootstraps from."""
    rewards: Tensor
    """(K, B): collected on the way there, each step's discounted."""
    discount: Tensor | None = None
    """(K, B): factor of what the next observation is worth, where that is not the discount factor of one step."""


class Returns(NamedTuple):
    """What the targets of the Q networks add up before they bootstrap."""

    gamma: float
    """Discount factor of a step."""
    horizon: int
    """Steps of an episode."""
    n_steps: int = 1
    """Rewards of a target, or fewer where the episode, or what is stored of it, ends before."""
    terminal: bool = False
    """Whether nothing is worth anything after the last step of an episode."""

    @classmethod
    def of(cls, config: RunConfig) -> Returns:
        """Return those of a run."""
        sac = config.sac
        return cls(sac.gamma, config.env.horizon, sac.n_step, sac.terminal_at_horizon)

    @property
    def are_rows(self) -> bool:
        """Whether a row by itself is all that a target needs."""
        return self.n_steps == 1 and not self.terminal


class ReplayBuffer:
    """The newest transitions of K tasks.

    No terminal flag is stored: only time limits end an episode, so a row's number says which step of one it was.
    """

    def __init__(self, n_tasks: int, size: int, device: torch.device, returns: Returns | None = None) -> None:
        """Reserve room; the operating system hands it out as it is filled.

        Args:
            n_tasks: K.
            size: Transitions of all tasks together; each task has a K-th of it.
            device: Where the rows lie.
            returns: What a sampled row says of the steps that follow it; by default its own reward alone.
        """
        self.capacity = size // n_tasks
        self._rows = torch.empty(n_tasks, self.capacity, ROW_DIM, device=device)
        self._flat = self._rows.view(-1, ROW_DIM)
        self._overwritten = 0, self._rows[:, :0]
        self._first_rows = torch.arange(n_tasks, device=device).unsqueeze(1) * self.capacity
        self._returns = None if returns is None or returns.are_rows else returns
        if self._returns is not None:
            self._ahead = torch.arange(self._returns.n_steps, device=device)
            self._discounts = self._returns.gamma ** torch.arange(self._returns.n_steps + 1.0, device=device)
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
        batch = Batch(observations, actions, next_observations, rewards.squeeze(-1))
        return batch if self._returns is None else self._look_ahead(batch, chosen, self._returns)

    def _look_ahead(self, batch: Batch, slots: Tensor, returns: Returns) -> Batch:
        """Return a batch, whose rows lie in these slots (K, B) of the ring, with the rewards of the steps ahead."""
        newest = self._total - 1
        numbers = newest - (newest - slots) % self.capacity  # of the rows, in the order of their collection
        left = torch.minimum(returns.horizon - numbers % returns.horizon, newest - numbers + 1)
        n_steps = left.clamp_max(returns.n_steps)
        there = self._ahead < n_steps.unsqueeze(-1)  # (K, B, n)
        ahead = torch.minimum(self._ahead, n_steps.unsqueeze(-1) - 1)
        rows = (slots.unsqueeze(-1) + ahead) % self.capacity + self._first_rows.unsqueeze(-1)
        rewards = self._flat.view(-1).index_select(0, (rows * ROW_DIM + ROW_DIM - 1).view(-1)).view(rows.shape)
        last = self._flat.index_select(0, rows[..., -1].reshape(-1)).view(*slots.shape, ROW_DIM)
        discount = self._discounts[n_steps]
        if returns.terminal:
            discount = discount * ((numbers + n_steps) % returns.horizon != 0)
        return batch._replace(
            next_observations=last[..., OBS_DIM + ACTION_DIM : -1],
            rewards=(rewards * self._discounts[:-1] * there).sum(-1),
            discount=discount,
        )

    def _slots(self, start: int, stop: int) -> Tensor:
        return torch.arange(start, stop, device=self._rows.device) % self.capacity
