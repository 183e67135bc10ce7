"""On a CPU ordinary steps are recorded: their results are those of steps taken one by one, to the last bit."""

import pytest
import torch

from must.algorithms.cpu_recording import CpuRecording
from tests.support.agents import assert_same
from tests.support.learner import Learner
from tests.support.methods import EVERY_KIND


@pytest.fixture(autouse=True)
def soon_recorded(monkeypatch):
    monkeypatch.setattr("must.algorithms.steps.WARM_UP", 1)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_run_is_the_same_to_the_last_bit(kind):
    recorded, plain = Learner(kind, **EVERY_OTHER, as_in_a_run=True), Learner(kind, **EVERY_OTHER)
    reported = recorded.epochs(range(1, 6))
    assert len(reported) >= 5
    assert_same(reported, plain.epochs(range(1, 6)))
    assert_same(recorded.agent.snapshot(), plain.agent.snapshot())
    assert recorded.steps.recorded == (2 if kind.startswith("magnitude") else 1)  # dense before it is pruned
    assert all(known.recording.recorded for known in recorded.steps._kinds.values())
    assert plain.steps.recorded == 0


EVERY_OTHER = {"masks": {"update_interval": 2}}
"""Epochs of mask updates and ordinary ones in turn."""


def test_going_on_from_a_snapshot_is_going_on():
    whole, first, second = (Learner("must", **EVERY_OTHER, as_in_a_run=True) for _ in range(3))
    expected = whole.epochs(range(1, 7))
    reported = first.epochs(range(1, 4))
    second.agent.restore(first.agent.snapshot())
    assert_same(reported + second.epochs(range(4, 7)), expected)
    assert second.steps.recorded == 1


class Step:
    """Writes on, through views and in place, and draws random numbers."""

    def __init__(self) -> None:
        self.state, self.rng = torch.arange(12.0).view(3, 4), torch.Generator().manual_seed(3)
        self.log = torch.zeros(5, 4)
        self.weight = torch.nn.Parameter(torch.full((4, 2), 0.5))

    def __call__(self) -> None:
        noise = torch.randn(3, 4, generator=self.rng)
        upper, lower = (noise.T @ self.state).split((1, 3))
        upper.flatten()[1:3].add_(lower[0, 0])  # a view of a view of what is fresh
        values, places = (self.state + upper).max(dim=0)
        loss = (self.state @ self.weight).square().mean()
        loss.backward()
        with torch.no_grad():
            self.weight -= 0.01 * self.weight.grad
        self.weight.grad = None
        self.state[1:].mul_(0.9)
        self.state[0] = values.flip(0) / (1 + values.abs())
        self.log[1:] = self.log[:-1].clone()
        self.log[0] = torch.stack((values, places.float()), dim=1).sum(1)


def test_operations_on_views_and_in_place_run_again_as_they_ran():
    step, plain = Step(), Step()
    recording = CpuRecording(step)
    for number in range(6):
        recording.replay()
        plain()
        for name in ("state", "log", "weight"):
            assert torch.equal(getattr(step, name), getattr(plain, name)), (name, number)
    assert recording.recorded
    assert torch.equal(step.rng.get_state(), plain.rng.get_state())
    assert plain.log.count_nonzero() == plain.log.numel()


@pytest.mark.parametrize(
    "read",
    [
        lambda tensor: tensor.sum().item(),
        lambda tensor: float(len(tensor[tensor > 5])),
        lambda tensor: float(len(tensor.nonzero())),
        lambda tensor: float(torch.tensor(float(tensor.sum()))),
    ],
)
def test_a_step_whose_host_reads_what_it_computed_is_taken_as_it_is(read):
    state = torch.arange(10.0)

    def step():
        state.mul_(1 + 0.1 * read(state))

    expected, recording = state.clone(), CpuRecording(step)
    for _ in range(3):
        expected *= 1 + 0.1 * read(expected)
        recording.replay()
    torch.testing.assert_close(state, expected)
    assert not recording.recorded
