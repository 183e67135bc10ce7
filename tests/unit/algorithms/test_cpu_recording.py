"""On a CPU ordinary steps are recorded: their results are those of steps taken one by one, to the last bit."""

import logging

import pytest
import torch

from must.algorithms import GradientSteps
from must.algorithms.cpu_recording import CpuRecording
from must.bench.targets import Settings, agent_and_replay
from must.config import load_experiment, parse_experiment
from must.sweep.settings import settings_of
from tests.support.agents import CPU, assert_same
from tests.support.helpers import ROOT
from tests.support.learner import Learner
from tests.support.methods import EVERY_KIND
from tests.support.recording import Recorder


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
    assert recorded.steps.can_be_recorded
    assert plain.steps.recorded == 0


EVERY_OTHER = {"masks": {"update_interval": 2}, "sac": {"n_step": 3, "terminal_at_horizon": True}}
"""Epochs of mask updates and ordinary ones in turn, with targets for which the replay buffer looks ahead."""


def test_with_targets_of_one_step():
    one_step = {**EVERY_OTHER, "sac": {"n_step": 1}}
    recorded, plain = Learner("must", **one_step, as_in_a_run=True), Learner("must", **one_step)
    assert_same(recorded.epochs(range(1, 4)), plain.epochs(range(1, 4)))
    assert recorded.steps.recorded == 1
    assert recorded.steps.can_be_recorded


@pytest.mark.parametrize("path", sorted(ROOT.glob("config/**/*.yaml")), ids=lambda path: path.stem)
def test_the_steps_of_every_experiment_are_recorded(path):
    """All that decides it is the settings, not their sizes."""
    small = {"network.hidden_sizes": "[16, 16]", "sac.batch_size_per_task": "2", "env.n_tasks": "2"}
    experiment = load_experiment(path, small)
    data, settings = experiment.model_dump(mode="json"), settings_of(experiment)
    for setting in settings:
        overrides = {**experiment.overrides(setting.runs[0]), **small}
        config = parse_experiment(data, overrides).run_config()
        agent, replay = agent_and_replay(Settings(config, CPU, 1))
        steps = GradientSteps(agent, replay, 2)
        steps.take(3)
        assert steps.recorded > 0, setting.values
        assert steps.can_be_recorded, setting.values
    assert settings


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
    ids=["a number", "a mask", "places", "a number and back"],
)
def test_a_step_whose_host_reads_what_it_computed_is_taken_as_it_is(read, caplog):
    caplog.set_level(logging.INFO, "must")
    state = torch.arange(10.0)

    def step():
        state.mul_(1 + 0.1 * read(state))

    expected, recording = state.clone(), CpuRecording(step)
    for _ in range(3):
        expected *= 1 + 0.1 * read(expected)
        recording.replay()
    torch.testing.assert_close(state, expected)
    assert not recording.recorded
    assert "not recorded, and slower for it: they need the result of aten" in caplog.text


def test_a_step_that_the_interpreter_does_not_know_is_taken_as_it_is(monkeypatch, caplog):
    caplog.set_level(logging.INFO, "must")
    monkeypatch.setattr("must.algorithms.interpreter._AS_INPUTS", ())
    step, plain = Step(), Step()
    recording = CpuRecording(step)
    for _ in range(4):
        recording.replay()
        plain()
    assert not recording.recorded
    assert "they need what this version of PyTorch cannot run again" in caplog.text
    assert torch.equal(step.log, plain.log)


def test_numbers_that_nobody_uses_are_drawn_all_the_same():
    state, rng, plain = torch.zeros(3), torch.Generator().manual_seed(1), torch.Generator().manual_seed(1)

    def step():
        torch.rand(5, generator=rng)
        state.add_(torch.rand(3, generator=rng))

    recording, expected = CpuRecording(step), torch.zeros(3)
    assert recording.recorded
    for _ in range(4):
        recording.replay()
        torch.rand(5, generator=plain)
        expected += torch.rand(3, generator=plain)
    assert torch.equal(state, expected)
    assert torch.equal(rng.get_state(), plain.get_state())


def test_indices_that_are_numbers_let_nobody_wait():
    state, table, where = torch.arange(10.0), torch.arange(4.0), torch.tensor([[3, 0], [1, 1]])

    def step():
        state.mul_(1 + 0.01 * table[where].sum()).add_(table[state.long() % 4])

    expected, recording = state.clone(), CpuRecording(step)
    assert recording.recorded
    for _ in range(3):
        recording.replay()
        expected.mul_(1.05).add_(table[expected.long() % 4])
    assert torch.equal(state, expected)


def copied(original: torch.Tensor) -> torch.Tensor:
    """Copy as autograd copies a gradient that somebody else holds."""
    return original.new_empty_strided(original.shape, original.stride()).copy_(original)


@pytest.mark.parametrize("used_again", [False, True])
def test_what_is_never_used_again_is_not_copied(used_again):
    """A copy of it takes its place, and what is done to the copy, also to a part of it, is done to it."""
    state, log = torch.arange(12.0).view(3, 4), torch.zeros(4)

    def step():
        fresh = (2 * state + 1)[1:]
        copy = copied(copied(fresh))
        copy[1].mul_(0.5)
        log.add_(copy[0] + copy[1])
        if used_again:
            log.add_(fresh[1])
        state.sub_(0.125 * copy.sum())

    before = state.clone(), log.clone()
    recording = CpuRecording(step)
    after = state.clone(), log.clone()
    state.copy_(before[0]), log.copy_(before[1])
    recording.replay()  # it was taken while it was recorded
    with Recorder() as recorder:
        recording.replay()
    assert torch.equal(state, after[0])
    assert torch.equal(log, after[1])
    assert recorder.counts["copy"] == used_again


def test_a_gradient_is_not_copied():
    weight, rate = torch.nn.Parameter(torch.ones(3, 5)), torch.tensor(0.5)

    def step():
        (weight.square().sum() * rate).backward()
        with torch.no_grad():
            weight.sub_(0.1 * weight.grad)
        weight.grad = None

    recording = CpuRecording(step)
    recording.replay()
    with Recorder() as recorder:
        recording.replay()
    torch.testing.assert_close(weight, torch.full((3, 5), 0.81), check_dtype=True)
    assert not {"copy", "clone", "new_empty_strided"} & recorder.names
