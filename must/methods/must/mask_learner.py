"""The mask learner: a generator for each masked network, and the two ways in which generators learn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from must.algorithms.recording import Places, load_optimizer
from must.config import RunConfig
from must.masks import MaskLayout, Rows, binds, bounded_mask, gumbel_noise, straight_through, top_k_mask
from must.methods.must import NETWORKS
from must.methods.must.encoders import Encoders
from must.methods.must.generators import make_generator
from must.methods.must.mask_rule import MaskRule, Published
from must.methods.must.similarity import similarity_loss
from must.types import Trajectories


class MaskLearner(nn.Module, MaskRule):
    """Generates masks and learns to generate better ones.

    Each masked network has a generator, a trajectory encoder and an optimizer of its own.
    """

    _one_hot: Tensor
    _supervised: Tensor
    _steps: Tensor

    def __init__(self, config: RunConfig, layouts: Sequence[MaskLayout]) -> None:
        """Draw the initial parameters from torch's global generator.

        Args:
            config: The run's settings.
            layouts: What is masked in each masked network, in the order of `NETWORKS`.
        """
        super().__init__()
        self._masks, self._settings = config.masks, config.generator
        self._max_grad_norm = config.sac.max_grad_norm
        n_tasks = len(config.env.task_names)
        self.names = NETWORKS[: len(layouts)]
        self.metrics = tuple(f"generator_grad_norm_{name}" for name in self.names)
        self._kept = [layout.kept(config.masks.pruning_ratio) for layout in layouts]
        self.generators = nn.ModuleList(make_generator(layout, n_tasks, config.generator) for layout in layouts)
        self.encoders = Encoders(len(layouts), n_tasks, config.generator)
        self.register_buffer("_one_hot", torch.eye(n_tasks), persistent=False)
        self._published = Published([], [])
        self.register_buffer("_supervised", torch.zeros(len(self.names)), persistent=False)
        self.register_buffer("_steps", torch.zeros(()), persistent=False)
        self._places = Places()
        self._bounds: list[list[Tensor]] = []

    def make_optimizers(self) -> None:
        """Create the optimizers, one for each generator with its encoder; call it when the learner is on its device."""
        self.optimizers = []
        for number, generator in enumerate(self.generators):
            encoder = self.encoders.encoders[number : number + 1].parameters()
            parameters = [*generator.parameters(), *encoder]
            recorded = parameters[0].device.type == "cuda"
            self.optimizers.append(torch.optim.Adam(parameters, lr=self._settings.lr, fused=True, capturable=recorded))
        self.encoders.make_optimizers()

    def read(self, trajectories: Trajectories | None) -> None:
        """Read trajectories of the tasks; None where none are read, or nothing is known yet."""
        self.encoders.read(trajectories, self._one_hot.device)

    @torch.no_grad()
    def choose(self) -> Rows:
        """Return the masks of the highest scores, without noise and bound."""
        return [
            [top_k_mask(scores, k) for scores, k in zip(self.scores(number), kept, strict=True)]
            for number, kept in enumerate(self._kept)
        ]

    def scores(self, number: int) -> list[Tensor]:
        """Return one network's scores (K, n) of each shape, with gradient."""
        encodings = self.encoders.encodings if self._settings.use_trajectory_info else None
        scores: list[Tensor] = self.generators[number](self._one_hot, encodings[number] if encodings else None)
        return scores

    def begin_update(
        self, published: Published, trajectories: Trajectories | None, rng: torch.Generator
    ) -> dict[str, float]:
        """Read the trajectories and take the supervised steps, where they are steps of their own; see `MaskRule`.

        With one task there is no pair, with two nothing to normalise: the loss has no gradient, and no step is taken.
        """
        self._published = self._placed(published) if self.in_place else published
        self._supervised.zero_()
        self.read(trajectories)
        if not self._learns_similarity or self._settings.sl_weight is not None:
            return {}
        losses = {}
        for number, name in enumerate(self.names):
            for _ in range(self._settings.sl_steps):
                loss = self._similarity_loss(number, self._relaxed(number, rng))
                loss.backward()
                self._step(number)
            losses[f"supervised_loss_{name}"] = float(loss.detach())
        return losses

    def draw(self, rng: torch.Generator) -> Rows:
        """Draw noisy masks, with straight-through gradient; see `MaskRule`.

        Where the supervised loss is a term of the same steps, its gradient is there already.
        """
        drawn = [self._relaxed(number, rng) for number in range(len(self.names))]
        if self._learns_similarity and self._settings.sl_weight is not None:
            for number, masks in enumerate(drawn):
                loss = self._similarity_loss(number, masks)
                (self._settings.sl_weight * loss).backward(retain_graph=True)
                self._supervised[number] += loss.detach()
        return drawn

    def step(self) -> list[Tensor]:
        """Take one Adam step of each generator on the gradient of the losses; return the gradient norms."""
        self._steps += 1
        return [self._step(number) for number in range(len(self.names))]

    def finish_update(self) -> tuple[Rows, dict[str, float]]:
        """Take one Adam step of each encoder on the gradient gathered over the epoch; return the bounded masks."""
        losses = {}
        if self._learns_similarity and self._settings.sl_weight is not None and (steps := int(self._steps)):
            losses = {
                f"supervised_loss_{name}": total / steps
                for name, total in zip(self.names, self._supervised.tolist(), strict=True)
            }
        self._steps.zero_()
        if self._settings.use_trajectory_info:
            self.encoders.spread_gradients()
            for number in range(len(self.names)):
                self._step(number)
            self.encoders.refresh()
        with torch.no_grad():
            masks = [
                [
                    top_k_mask(scores, k) if choose is None else choose(scores)
                    for scores, k, choose in self._scores_and_choices(number)
                ]
                for number in range(len(self.names))
            ]
        return masks, losses

    def optimizer_states(self) -> list[dict[str, Any]]:
        """Return the optimizers' states, for a checkpoint."""
        return [*(optimizer.state_dict() for optimizer in self.optimizers), *self.encoders.optimizer_states()]

    def load_optimizer_states(self, states: list[dict[str, Any]]) -> None:
        """Load what `optimizer_states` returned."""
        count = len(self.optimizers)
        for optimizer, state in zip(self.optimizers, states[:count], strict=True):
            load_optimizer(optimizer, state)
        self.encoders.load_optimizer_states(states[count:])

    @property
    def places_version(self) -> int:  # type: ignore[override]
        """Return the version of the places that steps read; see `MaskRule`."""
        return self._places.version

    def _placed(self, published: Published) -> Published:
        """Copy what an update starts from to where it was in the one before."""
        self.encoders.places = self._places
        device = self._one_hot.device
        self._bounds = [
            self._places.put(f"most {number}", [torch.tensor(count, device=device) for count in most])
            for number, most in enumerate(published.most)
        ]
        masks = [self._places.put(f"masks {number}", rows) for number, rows in enumerate(published.masks)]
        return published._replace(masks=masks)

    @property
    def _learns_similarity(self) -> bool:
        return self._settings.use_sl_loss and len(self._one_hot) >= 3

    def _scores_and_choices(self, number: int) -> Iterator[tuple[Tensor, int, partial[Tensor] | None]]:
        """Yield, shape by shape, one network's scores, how many of them a mask keeps, and what makes the mask of them.

        That is None where the bound on swaps rules no mask out: it is the mask of the highest scores.
        """
        bounds: Sequence[int | Tensor] = self._bounds[number] if self.in_place else self._published.most[number]
        shapes = zip(self.scores(number), self._kept[number], self._published.masks[number], bounds, strict=True)
        for scores, k, published, most in shapes:
            bounded = binds(most, k, scores.shape[-1])
            yield scores, k, partial(bounded_mask, published=published, k=k, most=most) if bounded else None

    def _relaxed(self, number: int, rng: torch.Generator) -> list[Tensor]:
        """Draw one network's masks (K, n) with noise and straight-through gradient."""
        masks = []
        for scores, k, choose in self._scores_and_choices(number):
            noisy = scores + self._masks.gumbel_scale * gumbel_noise(scores.shape, rng, scores.device)
            masks.append(straight_through(noisy, k, self._masks.mask_tau, self._masks.relaxation, choose))
        return masks

    def _similarity_loss(self, number: int, masks: list[Tensor]) -> Tensor:
        assert self.encoders.encodings is not None
        return similarity_loss(torch.cat(masks, dim=1), self.encoders.encodings[number])

    def _step(self, number: int) -> Tensor:
        """Take an Adam step of a generator and its encoder on their clipped gradient; return its norm before."""
        optimizer = self.optimizers[number]
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        norm = get_total_norm(gradients)
        # The optimizer divides by this as it goes: the dense head's gradient is too large for another pass over it.
        optimizer.grad_scale = ((norm + 1e-6) / self._max_grad_norm).clamp_min(1).float()  # type: ignore[attr-defined]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return norm
