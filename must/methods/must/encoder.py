"""Trajectory encoder: what a task's episodes looked like, in a few features; and the loss that can train it."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TrajectoryEncoder(nn.Module):
    """An LSTM that reads an episode from its end to its start; its outputs are averaged over time.

    This is the backward direction of a bi-directional LSTM. The forward direction is not built, because only the
    outputs of the backward one are used. It recurs over time, and each episode's encoding is its own.
    """

    def __init__(self, obs_dim: int, hidden_size: int) -> None:
        """Make an encoder of observations of ``obs_dim`` features into ``hidden_size`` features."""
        super().__init__()
        self.lstm = nn.LSTM(obs_dim, hidden_size, batch_first=True)

    def forward(self, trajectories: Tensor) -> Tensor:
        """Encode (N, T + 1, D) observations into (N, hidden_size)."""
        outputs: Tensor = self.lstm(trajectories.flip(1))[0]
        return outputs.mean(1)


class TrajectoryDecoder(nn.Module):
    """The other half of a variational auto-encoder: predicts the next observation from one and the encoding.

    The encoding is the mean of a Gaussian with diagonal covariance, of which one value is drawn for each episode.
    """

    def __init__(self, obs_dim: int, hidden_size: int) -> None:
        """Make a decoder of encodings with ``hidden_size`` features."""
        super().__init__()
        self.log_variance = nn.Linear(hidden_size, hidden_size)
        self.predict = nn.Sequential(
            nn.Linear(obs_dim + hidden_size, hidden_size), nn.ReLU(), nn.Linear(hidden_size, obs_dim)
        )

    def forward(self, trajectories: Tensor, encodings: Tensor, noise: Tensor, kl_weight: float) -> Tensor:
        """Return the negative evidence lower bound, as means over rows and features.

        Observations differ in size by feature, and what changes from one to the next by even more. So the errors of
        the predicted changes are squared in units of their standard deviation over all rows; features that never
        change are left out.

        Args:
            trajectories: (N, T + 1, D)
            encodings: (N, F), the encoder's, with gradient.
            noise: (N, F) of standard normal numbers.
            kl_weight: Weight of the divergence from a unit Gaussian.

        Returns:
            A scalar.
        """
        log_variance = self.log_variance(encodings)
        drawn = encodings + (0.5 * log_variance).exp() * noise
        now, change = trajectories[:, :-1], trajectories.diff(dim=1)
        predicted = self.predict(torch.cat((now, drawn[:, None].expand(-1, now.shape[1], -1)), dim=2))
        spread = change.square().mean((0, 1))
        varies = spread > 0
        error = (predicted - change / torch.where(varies, spread, 1).sqrt())[..., varies].square()
        divergence = 0.5 * (encodings.square() + log_variance.exp() - 1 - log_variance)
        loss: Tensor = (error.mean() if error.numel() else error.sum()) + kl_weight * divergence.mean()
        return loss
