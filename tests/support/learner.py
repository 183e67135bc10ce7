"""An agent that learns from random rows, on any device, with its steps recorded or taken one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from must.algorithms import GradientSteps, make_agent
from must.algorithms.recording import Recorder
from must.buffers import ReplayBuffer, Returns
from must.buffers.replay import ROW_DIM
from tests.support.agents import CPU
from tests.support.helpers import merged, small_config
from tests.support.methods import begin_epoch, settings

STEPS = 5
"""Of each kind in an epoch: after the warm-up there are some to be replayed."""


class Learner:
    """An agent, and what an epoch does to it."""

    def __init__(
        self,
        kind: str,
        device: torch.device = CPU,
        recorder: Recorder | None = None,
        draws_on_host: bool = False,
        as_in_a_run: bool = False,
        **sections: Any,
    ) -> None:
        """Make an agent of a kind of `tests.support.methods`.

        Args:
            kind: Which.
            device: Where it learns.
            recorder: Records its steps, of all kinds; by default each is taken as it is, on every device.
            draws_on_host: Whether its random numbers are the same on every device; see `on_host`.
            as_in_a_run: Whether steps are recorded as the trainer has it, whatever ``recorder`` is.
            sections: Settings to change.
        """
        schedule = {"training": {"opt_times": STEPS}, "masks": {"update_interval": 1}}
        config = small_config(**settings(kind, **merged(schedule, sections)))
        self.agent = make_agent(config, device)
        self.agent.in_place = recorder is not None
        if draws_on_host:
            self.agent.rngs = {name: torch.Generator().manual_seed(len(name)) for name in self.agent.rngs}
        self._replay = ReplayBuffer(3, 300, device, Returns.of(config))
        self._rng = torch.Generator().manual_seed(0)
        self._collect(60)
        record = as_in_a_run or recorder is not None
        self.steps = GradientSteps(self.agent, self._replay, 8, recorder, record=record)

    def epochs(self, numbers: range) -> list[Any]:
        """Run training epochs; return all that they report."""
        return [found for number in numbers for found in self._epoch(number)]

    def _collect(self, count: int) -> None:
        rows = torch.randn(3, count, ROW_DIM, generator=self._rng, dtype=torch.float64)
        self._replay.append_rows(rows.to(torch.get_default_dtype()))

    def _epoch(self, number: int) -> Iterator[Any]:
        while self._replay.added < 60 + 10 * number:  # as it was before a restart, too
            self._collect(10)
        yield begin_epoch(self.agent, number)
        learns = self.agent.masks.learns_masks(number)
        if learns:
            yield self.steps.take(STEPS, learn_masks=True)
            yield self.agent.masks.end_mask_update()
        if not learns or self.agent.masks.updates_apart:
            yield self.steps.take(STEPS)
        yield self.agent.end_learning(number)


def on_host(monkeypatch) -> None:
    """Draw random numbers on the CPU, whatever device they are for: those of a GPU are others."""
    for name in ("rand", "randn"):
        monkeypatch.setattr(torch, name, _drawn_on_host(getattr(torch, name)))


def _drawn_on_host(draw: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def drawn(*shape, generator=None, device=None, dtype=None) -> torch.Tensor:
        return draw(*shape, generator=generator, dtype=dtype).to(device)

    return drawn


def assert_close(ours: Any, theirs: Any, rtol: float = 1e-6) -> None:
    """Compare all tensors and numbers in nested values, on whatever devices."""
    first, second = tree_leaves(ours), tree_leaves(theirs)
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        if isinstance(one, torch.Tensor | float):
            one, other = (torch.as_tensor(each, device="cpu") for each in (one, other))
            torch.testing.assert_close(one, other, rtol=rtol, atol=1e-2 * rtol)
        else:
            assert one == other
