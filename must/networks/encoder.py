"""Trajectory encoder: what an episode looked like, in a few features."""

from __future__ import annotations

from torch import Tensor, nn


class TrajectoryEncoder(nn.Module):
    """An LSTM that reads an episode from its end to its start; its outputs are averaged over time.

    This is the backward direction of a bi-directional LSTM. The forward direction is not built, because only the
    outputs of the backward one are used. It recurs over time, and each task's encoding is its own.
    """

    def __init__(self, obs_dim: int, hidden_size: int) -> None:
        """Make an encoder of observations of ``obs_dim`` features into ``hidden_size`` features."""
        super().__init__()
        self.lstm = nn.LSTM(obs_dim, hidden_size, batch_first=True)

    def forward(self, trajectories: Tensor) -> Tensor:
        """Encode (K, T + 1, D) observations into (K, hidden_size)."""
        outputs: Tensor = self.lstm(trajectories.flip(1))[0]
        return outputs.mean(1)
