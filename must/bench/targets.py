"""What can be measured."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import metaworld
import numpy as np
import torch

from must.algorithms import Agent, GradientSteps, make_agent
from must.algorithms.steps import WARM_UP
from must.bench.measure import Measurement, figure, from_seconds, measure
from must.bench.operations import gradient_step_gflop
from must.buffers import ReplayBuffer, Returns
from must.buffers.replay import ROW_DIM
from must.collect import Collector
from must.config import RunConfig
from must.envs import TaskEnv, TaskGoals
from must.tasks import BENCHMARKS
from must.training.checkpoint import Checkpoints
from must.types import ACTION_DIM, OBS_DIM, Trajectories


class Settings(NamedTuple):
    """What a benchmark is told."""

    config: RunConfig
    device: torch.device
    repeats: int


def update(settings: Settings) -> list[Measurement]:
    """Time the ordinary gradient step, drawing of the batch included."""
    agent, replay = agent_and_replay(settings)
    gflop = gradient_step_gflop(settings.config)
    steps, at_once = gradient_steps(agent, replay, settings), 1 if settings.device.type == "cpu" else 50
    return [
        measure(
            "gradient step",
            lambda: steps.take(at_once),
            settings.repeats,
            settings.device,
            gflop,
            per_call=at_once,
        )
    ]


def mask_update(settings: Settings) -> list[Measurement]:
    """Time the gradient step that learns masks, and the supervised steps before it."""
    agent, replay = agent_and_replay(settings)
    if not agent.masks.generators:
        return []
    config = settings.config
    stored = random_trajectories(config) if config.generator.needs_trajectories else None
    few = max(3, settings.repeats // 4)
    supervised = measure(
        f"supervised update, {config.generator.sl_steps} step(s) of three generators",
        lambda: agent.masks.begin_mask_update(stored),
        few,
        settings.device,
        warm_up=1,
    )
    steps, at_once = gradient_steps(agent, replay, settings), 1 if settings.device.type == "cpu" else 50
    count = sum(parameter.numel() for each in agent.masks.generators for parameter in each.parameters())
    return [
        measure(
            "gradient step that learns masks",
            lambda: steps.take(at_once, learn_masks=True),
            few,
            settings.device,
            warm_up=1,
            per_call=at_once,
        ),
        supervised,
        figure("generator parameters", count / 1e6, "million"),
    ]


def recording(settings: Settings) -> list[Measurement]:
    """Time steps that are recorded and steps that are not, in turn; and the first ones, at the end of which one is."""
    agent, replay = agent_and_replay(settings)
    both = {record: gradient_steps(agent, replay, settings, record) for record in (True, False)}
    for steps in both.values():
        steps.take(WARM_UP + 2)
    seconds: dict[bool, list[float]] = {record: [] for record in both}
    for _ in range(settings.repeats):
        for record, steps in both.items():
            seconds[record].append(_seconds(lambda steps=steps: steps.take(10).sum().item()) / 10)  # type: ignore[misc]
    possible = both[True].can_be_recorded
    recorded = from_seconds("gradient step, recorded" + ("" if possible else " (not possible)"), seconds[True])
    one_by_one = from_seconds("gradient step, taken one by one", seconds[False])

    def first() -> None:
        gradient_steps(agent, replay, settings).take(WARM_UP + 1)

    whole = measure("first gradient steps, recording included", first, max(3, settings.repeats // 4), settings.device)
    in_steps = figure("the same in recorded gradient steps", whole.median / recorded.median, "steps")
    return [recorded, one_by_one, whole, in_steps]


def collect(settings: Settings) -> list[Measurement]:
    """Time the policy's inference for one environment step of one task, as a collector of all tasks does it."""
    agent, _ = agent_and_replay(settings)
    policy = agent.numpy_policy()
    rng = np.random.default_rng(0)
    observations = rng.normal(size=(50, agent.n_tasks, OBS_DIM)).astype(np.float32)
    noise = rng.standard_normal((50, agent.n_tasks, ACTION_DIM), dtype=np.float32)

    def act() -> None:
        for number in range(50):
            policy.act(observations[number], noise[number])

    name, actions = "policy inference, one step of one task", 50 * agent.n_tasks
    return [measure(name, act, settings.repeats, torch.device("cpu"), per_call=actions)]


def env(settings: Settings) -> list[Measurement]:
    """Time steps and resets of MT10's environments, and of Meta-World's own classes, in turn."""
    steps = 100
    actions = np.random.default_rng(0).uniform(-1, 1, (steps, ACTION_DIM)).astype(np.float32)
    step, their_step, reset, their_reset = (
        "environment step, mean over MT10",
        "the same of Meta-World's own classes",
        "reset to a goal that was there before, mean over MT10",
        "a reset of Meta-World's own classes",
    )
    seconds: dict[str, list[list[float]]] = {name: [] for name in (step, their_step, reset, their_reset)}
    for task in BENCHMARKS["MT10"]:
        goals = TaskGoals(task, 0)
        fast = TaskEnv(goals, settings.config.env.reward)
        original = metaworld.ALL_V3_ENVIRONMENTS[task](reward_function_version=settings.config.env.reward)
        original.set_task(goals.tasks[0])
        fast.reset(0)  # the first one of a goal moves the arm there
        for times in seconds.values():
            times.append([])
        for _ in range(max(3, settings.repeats // 4)):
            seconds[reset][-1].append(_seconds(lambda env=fast: env.reset(0)))  # type: ignore[misc]
            steps_taken = _seconds(lambda env=fast: [env.step(action) for action in actions])  # type: ignore[misc]
            seconds[step][-1].append(steps_taken / steps)
            seconds[their_reset][-1].append(_seconds(original.reset))
            steps_taken = _seconds(lambda env=original: [env.step(action) for action in actions])  # type: ignore[misc]
            seconds[their_step][-1].append(steps_taken / steps)
    medians, originals = (np.median(np.array(seconds[name]), axis=1) for name in (step, their_step))
    found = [_over_tasks(name, np.array(times)) for name, times in seconds.items()]
    found.insert(2, figure("steps a second, against Meta-World's own", float(np.mean(originals / medians)), "times"))
    return found


def epoch(settings: Settings) -> list[Measurement]:
    """Time a whole ordinary epoch: collection in the workers, and all gradient steps."""
    config = settings.config
    agent, replay = agent_and_replay(settings)
    steps = gradient_steps(agent, replay, settings)
    with Collector(config) as collector:

        def collecting() -> None:
            replay.add(collector.collect(agent.numpy_policy(), config.training.epoch_frames))

        few = max(2, settings.repeats // 10)
        return [
            measure("collection of an epoch", collecting, few, settings.device, warm_up=1),
            measure(
                "gradient steps of an epoch",
                lambda: steps.take(config.training.opt_times),
                few,
                settings.device,
                warm_up=1,
            ),
        ]


def checkpoint(settings: Settings) -> list[Measurement]:
    """Time checkpoints with a full replay buffer of ``sac.buffer_size``, 50 000 transitions after one another."""
    agent, _ = agent_and_replay(settings)
    size, between = settings.config.sac.buffer_size, min(50_000, settings.config.sac.buffer_size)
    replay = ReplayBuffer(agent.n_tasks, size, torch.device("cpu"))
    seconds, on_disk = [], 0
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as place:
        folder = Path(place) / "checkpoints"
        checkpoints = Checkpoints(folder, "benchmark")
        for number in range(1, 1 + size * 3 // 2 // between):  # at the end files with nothing but old rows have gone
            replay.append_rows(torch.randn(agent.n_tasks, between // agent.n_tasks, ROW_DIM))
            taken = _seconds(lambda epoch=number: checkpoints.save(epoch, {"agent": agent.snapshot()}, replay))  # type: ignore[misc]
            if len(replay) == replay.capacity:
                seconds.append(taken)
                on_disk = max(on_disk, sum(path.stat().st_size for path in folder.iterdir()))
        again = ReplayBuffer(agent.n_tasks, size, torch.device("cpu"))
        loading = _seconds(lambda: Checkpoints(folder, "benchmark").load(again))
    buffer = 4 * ROW_DIM * replay.capacity * agent.n_tasks
    return [
        from_seconds(f"checkpoint with {size} transitions", seconds),
        from_seconds("loading it", [loading]),
        figure("size of all checkpoints on disk", on_disk / buffer, "buffers"),
    ]


TARGETS: dict[str, Callable[[Settings], list[Measurement]]] = {
    "update": update,
    "mask-update": mask_update,
    "recording": recording,
    "collect": collect,
    "env": env,
    "epoch": epoch,
    "checkpoint": checkpoint,
}


def agent_and_replay(settings: Settings) -> tuple[Agent, ReplayBuffer]:
    """Make an agent with its first masks, and a replay buffer with some random rows."""
    agent = make_agent(settings.config, settings.device)
    agent.masks.before_epoch(1, lambda: random_trajectories(settings.config))
    replay = ReplayBuffer(agent.n_tasks, 4000 * agent.n_tasks, settings.device, Returns.of(settings.config))
    generator = torch.Generator().manual_seed(0)
    replay.append_rows(torch.randn(agent.n_tasks, 2000, ROW_DIM, generator=generator))
    return agent, replay


def random_trajectories(config: RunConfig) -> Trajectories:
    """Make a random trajectory of each task."""
    n_tasks = len(config.env.task_names)
    observations = np.random.default_rng(0).normal(size=(n_tasks, config.env.horizon + 1, OBS_DIM))
    return Trajectories(observations.astype(np.float32), np.arange(n_tasks))


def gradient_steps(agent: Agent, replay: ReplayBuffer, settings: Settings, record: bool = True) -> GradientSteps:
    """Return what takes gradient steps of an agent, recorded or one by one."""
    return GradientSteps(agent, replay, settings.config.sac.batch_size_per_task, record=record)


def _seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _over_tasks(name: str, seconds: np.ndarray) -> Measurement:
    """Return the mean over tasks of each percentile over repeats of (tasks, repeats)."""
    low, median, high = (1e3 * float(x) for x in np.percentile(seconds, (10, 50, 90), axis=1).mean(1))
    return Measurement(name, median, low, high, seconds.shape[1])
