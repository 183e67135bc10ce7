"""The mask learner: three generators (policy, Q1, Q2), and the two ways in which they learn."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from must.algorithms.agent import NETWORKS
from must.config import RunConfig
from must.masks import (
    MaskLayout,
    MaskSet,
    UnitMasks,
    WeightMasks,
    gumbel_noise,
    similarity_loss,
    standardise,
    straight_through,
    top_k_mask,
)
from must.networks import TrajectoryEncoder, make_generator
from must.types import OBS_DIM, Float32


class MaskLearner(nn.Module):
    """Generates masks and learns to generate better ones.

    Each of `NETWORKS` has a generator, a trajectory encoder and an optimizer of its own.

    A mask update is an epoch that begins with `look_at` and `supervised_update`, draws masks anew at every gradient
    step (`draw`, then `step` when the losses' gradients are there), and ends with `finish_update` and `publish`.
    """

    _one_hot: Tensor

    def __init__(self, config: RunConfig, policy: MaskLayout, critic: MaskLayout) -> None:
        """Draw the initial parameters from torch's global generator.

        Args:
            config: The run's settings.
            policy: What is masked in the policy.
            critic: What is masked in a Q network.
        """
        super().__init__()
        self._masks, self._settings = config.masks, config.generator
        self._max_grad_norm = config.sac.max_grad_norm
        n_tasks = len(config.env.task_names)
        self._layouts = (policy, critic, critic)
        self._kept = [layout.kept(config.masks.pruning_ratio) for layout in self._layouts]
        self.generators = nn.ModuleList(make_generator(layout, n_tasks, config.generator) for layout in self._layouts)
        self.encoders = nn.ModuleList(
            TrajectoryEncoder(OBS_DIM, config.generator.hidden_size)
            for _ in (NETWORKS if config.generator.needs_trajectories else ())
        )
        self.register_buffer("_one_hot", torch.eye(n_tasks), persistent=False)
        self._trajectories: Tensor | None = None
        self._encodings: list[Tensor] = []

    def make_optimizers(self) -> None:
        """Create the optimizers, one for each generator with its encoder; call it when the learner is on its device."""
        self.optimizers = []
        for number, generator in enumerate(self.generators):
            parameters = [*generator.parameters(), *(self.encoders[number].parameters() if self.encoders else ())]
            self.optimizers.append(torch.optim.Adam(parameters, lr=self._settings.lr, fused=True))

    def look_at(self, trajectories: Float32 | None) -> None:
        """Begin a mask update with one trajectory of each task (K, T + 1, D), or None where none is read."""
        self._trajectories = None if trajectories is None else torch.from_numpy(trajectories).to(self._one_hot.device)
        self._encode()

    def supervised_update(self, rng: torch.Generator) -> list[float]:
        """Take the Adam steps on the supervised loss; give each generator's last loss.

        With one task there is no pair, with two nothing to normalise: the loss has no gradient, and no step is taken.
        """
        if not self._settings.use_sl_loss or len(self._one_hot) < 3:
            return [0.0] * len(NETWORKS)
        losses = []
        for number in range(len(NETWORKS)):
            for _ in range(self._settings.sl_steps):
                loss = self._supervised_loss(number, rng)
                loss.backward()
                self._step(number)
            losses.append(float(loss.detach()))
        self._encode()
        return losses

    def draw(self, rng: torch.Generator) -> tuple[WeightMasks | UnitMasks, WeightMasks | UnitMasks]:
        """Draw noisy masks of the policy (E = 1) and of both Q networks (E = 2), with straight-through gradient."""
        drawn = [self._relaxed(number, self._inputs(number), rng) for number in range(len(NETWORKS))]
        return self._layouts[0].assemble(drawn[:1]), self._layouts[1].assemble(drawn[1:])

    def step(self) -> list[Tensor]:
        """Take one Adam step of each generator on the gradient that the SAC losses left; give the gradient norms.

        The encoders' share is gathered over the epoch and used in `finish_update`: reading whole episodes at every
        gradient step would take longer than everything else in it.
        """
        return [self._step(number) for number in range(len(NETWORKS))]

    def finish_update(self) -> None:
        """Take one Adam step of each encoder on the gradient gathered since `look_at`."""
        if not self._settings.use_trajectory_info:
            return
        for number, encodings in enumerate(self._encodings):
            if encodings.grad is not None:
                assert self._trajectories is not None
                self.encoders[number](self._trajectories).backward(encodings.grad)
                self._step(number)
        self._encode()

    @torch.no_grad()
    def publish(self, version: int) -> MaskSet:
        """Give the masks without noise, as a set of a new version."""
        chosen = [
            [top_k_mask(scores, k) for scores, k in zip(generator(self._inputs(number)), kept, strict=True)]
            for number, (generator, kept) in enumerate(zip(self.generators, self._kept, strict=True))
        ]
        policy, critic = self._layouts[:2]
        return MaskSet(
            version,
            policy.publishable(policy.assemble(chosen[:1])),
            critic.publishable(critic.assemble(chosen[1:])),
        )

    def optimizer_states(self) -> list[dict[str, Any]]:
        """Give the optimizers' states, for a checkpoint."""
        return [optimizer.state_dict() for optimizer in self.optimizers]

    def load_optimizer_states(self, states: list[dict[str, Any]]) -> None:
        """Take over what `optimizer_states` gave."""
        for optimizer, state in zip(self.optimizers, states, strict=True):
            optimizer.load_state_dict(state)

    def _encode(self) -> None:
        """Encode the trajectories once; the encodings gather the gradient of all gradient steps that use them."""
        self._encodings = []
        if self._settings.use_trajectory_info:
            assert self._trajectories is not None
            with torch.no_grad():
                self._encodings = [encoder(self._trajectories).requires_grad_() for encoder in self.encoders]

    def _inputs(self, number: int, encoding: Tensor | None = None) -> Tensor:
        if not self._settings.use_trajectory_info:
            return self._one_hot
        return torch.cat((self._one_hot, self._encodings[number] if encoding is None else encoding), dim=1)

    def _relaxed(self, number: int, inputs: Tensor, rng: torch.Generator) -> list[Tensor]:
        """Draw one network's masks (K, n) with noise and straight-through gradient."""
        masks = []
        for scores, k in zip(self.generators[number](inputs), self._kept[number], strict=True):
            noise = gumbel_noise(scores.shape, rng, scores.device)
            noisy = standardise(scores) + self._masks.gumbel_scale * noise
            masks.append(straight_through(noisy, k, self._masks.mask_tau, self._masks.relaxation))
        return masks

    def _supervised_loss(self, number: int, rng: torch.Generator) -> Tensor:
        assert self._trajectories is not None
        encoding = self.encoders[number](self._trajectories)
        masks = self._relaxed(number, self._inputs(number, encoding), rng)
        return similarity_loss(torch.cat(masks, dim=1), encoding)

    def _step(self, number: int) -> Tensor:
        """Take an Adam step of a generator and its encoder on their clipped gradient; give its norm before."""
        optimizer = self.optimizers[number]
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        norm = get_total_norm(gradients)
        # The optimizer divides by this as it goes: the dense head's gradient is too large for another pass over it.
        optimizer.grad_scale = ((norm + 1e-6) / self._max_grad_norm).clamp_min(1)  # type: ignore[attr-defined]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return norm
