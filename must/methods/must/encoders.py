"""The trajectory encoders of the mask generators: what they say of the tasks, and how they learn."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from must.algorithms.recording import Places
from must.config import GeneratorConfig
from must.methods.must.encoder import TrajectoryDecoder, TrajectoryEncoder
from must.types import OBS_DIM, Trajectories


class Encoders(nn.Module):
    """One encoder for each generator, with the trajectories that it reads.

    A task's encoding is the mean of those of its episodes. It is computed once for all gradient steps that use it, and
    gathers their gradients; reading whole episodes in every step would take longer than everything else in it.
    """

    _weights: Tensor

    def __init__(self, n_encoders: int, n_tasks: int, settings: GeneratorConfig) -> None:
        """Draw the initial parameters from torch's global generator."""
        super().__init__()
        self._settings = settings
        self.n_tasks = n_tasks
        self.encoders = nn.ModuleList(
            TrajectoryEncoder(OBS_DIM, settings.hidden_size)
            for _ in range(n_encoders if settings.needs_trajectories else 0)
        )
        reconstructs = settings.encoder_loss == "vae"
        self.decoders = nn.ModuleList(
            TrajectoryDecoder(OBS_DIM, settings.hidden_size) for _ in self.encoders if reconstructs
        )
        self._observations: Tensor | None = None
        self._optimizers: list[torch.optim.Adam] = []
        self.encodings: list[Tensor] | None = None
        """For each encoder (K, F); None before any trajectory was read, and where none is."""
        self.places: Places | None = None
        """Where encodings are to be, if that matters."""

    def make_optimizers(self) -> None:
        """Create the optimizers of the reconstruction; call it when the encoders are on their device."""
        self._optimizers = [
            torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=self._settings.lr, fused=True)
            for encoder, decoder in zip(self.encoders, self.decoders, strict=False)
        ]

    def read(self, trajectories: Trajectories | None, device: torch.device) -> None:
        """Encode trajectories; None stands for tasks of which nothing is known yet."""
        self._observations = None
        if trajectories is not None and len(self.encoders):
            self._observations = _on_device(trajectories, device)
            tasks = torch.from_numpy(trajectories.tasks).to(device)
            of_task = (tasks[None] == torch.arange(self.n_tasks, device=device)[:, None]).to(self._observations)
            self._weights = of_task / of_task.sum(1, keepdim=True)
        self.refresh()

    def encode(self, number: int) -> Tensor | None:
        """Encode the trajectories that were read with one encoder, with gradient: (K, F)."""
        if self._observations is None:
            return None
        encoded: Tensor = self._weights @ self.encoders[number](self._observations)
        return encoded

    def refresh(self) -> None:
        """Encode what was read with the parameters as they are now; the gathered gradients are dropped."""
        self.encodings = None
        if self._observations is not None:
            with torch.no_grad():
                found = [self.encode(number) for number in range(len(self.encoders))]
            encodings = [encoding for encoding in found if encoding is not None]
            if self.places is None:
                self.encodings = [encoding.requires_grad_() for encoding in encodings]
            else:
                self.encodings = self.places.put("encodings", encodings, learned=True)

    def spread_gradients(self) -> None:
        """Bring the gradients that the encodings have gathered into the encoders' parameters."""
        for number, encoding in enumerate(self.encodings or ()):
            if encoding.grad is not None:
                again = self.encode(number)
                assert again is not None
                again.backward(encoding.grad)

    def reconstruct(self, trajectories: Trajectories, rng: torch.Generator, device: torch.device) -> list[float]:
        """Take an Adam step of each encoder and decoder; return the losses.

        Args:
            trajectories: Of which one episode of each task is drawn.
            rng: Draws it, and the noise.
            device: Where the encoders are.
        """
        starts = torch.from_numpy(trajectories.tasks).bincount(minlength=self.n_tasks).to(device)
        shares = torch.rand(self.n_tasks, generator=rng, device=device, dtype=torch.float64)
        chosen = starts.cumsum(0) - starts + (shares * starts).long()
        observations = _on_device(trajectories, device)[chosen]
        losses = []
        for encoder, decoder, optimizer in zip(self.encoders, self.decoders, self._optimizers, strict=True):
            encodings = encoder(observations)
            noise = torch.randn(encodings.shape, generator=rng, device=device)
            loss = decoder(observations, encodings, noise, self._settings.kl_weight)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            losses.append(float(loss.detach()))
        return losses

    def optimizer_states(self) -> list[dict[str, object]]:
        """Return the optimizers' states, for a checkpoint."""
        return [optimizer.state_dict() for optimizer in self._optimizers]

    def load_optimizer_states(self, states: list[dict[str, object]]) -> None:
        """Load what `optimizer_states` returned."""
        for optimizer, state in zip(self._optimizers, states, strict=True):
            optimizer.load_state_dict(state)


def _on_device(trajectories: Trajectories, device: torch.device) -> Tensor:
    """Return the observations in the type that networks are made in."""
    return torch.from_numpy(trajectories.observations).to(device, torch.get_default_dtype())
