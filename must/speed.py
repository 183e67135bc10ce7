"""How fast this machine trains runs of given settings: ``python -m must.speed``, for `must plan`.

Reads JSON, ``{"seconds": S, "configs": [...]}``, and prints a line of JSON for each configuration as soon as it was
measured, in their order, until the seconds are over; the first one always. Real gradient steps and real simulator steps
are timed: few of each, since nobody wants to wait for an estimate. What one thread does on a CPU is timed by the clock
of the CPU, which stands still while other programs have the core: other work must not count as the sweep's.
"""

from __future__ import annotations

import time

BEGUN = time.perf_counter()

import json  # noqa: E402
import resource  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Iterator, Mapping  # noqa: E402
from typing import Any  # noqa: E402

from must.collect.runner import TaskRunner, collect  # noqa: E402
from must.config import RunConfig  # noqa: E402

WORKER_BYTES = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
"""Memory of a process that collects: this one, before it knows torch."""

import torch  # noqa: E402

from must.bench.targets import Settings, agent_and_replay, gradient_steps, random_trajectories  # noqa: E402
from must.drawing import disabled  # noqa: E402
from must.memory import keep_freed_memory  # noqa: E402
from must.training.device import prepare_process, resolve_device  # noqa: E402

TASKS, FRAMES = 3, 40
"""Tasks whose simulators are timed, and steps of each."""
LONGEST = 1.0
"""Seconds for the steps of one kind, at most, once two have been taken."""


def main() -> int:
    """Measure what is asked for on the input; return the exit status."""
    asked = json.load(sys.stdin)
    keep_freed_memory()
    simulators: dict[str, dict[str, float]] = {}
    with disabled():
        for number, data in enumerate(asked["configs"]):
            if number and time.perf_counter() - BEGUN > asked["seconds"]:
                break
            config = RunConfig.model_validate(data)
            prepare_process(config.training)
            sys.stdout.write(json.dumps(measure_run(config, simulators)) + "\n")
            sys.stdout.flush()
    return 0


def measure_run(config: RunConfig, simulators: dict[str, dict[str, float]]) -> dict[str, float | str | None]:
    """Measure what a run's time and memory are made of.

    Args:
        config: The run's settings.
        simulators: What was measured of tasks before; it is added to.

    Returns:
        Seconds of a gradient step, of one that learns masks, of the supervised steps of a mask update, of a step of one
        task (inference included), of a reset, and of a start; bytes of the learner, of a worker, of the state of a
        checkpoint and of the policy; the device.
    """
    device = resolve_device(config.training.device)
    agent, replay = agent_and_replay(Settings(config, device, 1))
    steps = gradient_steps(agent, replay, Settings(config, device, 1))

    def waited(call: Callable[[], object]) -> Callable[[], object]:
        def run() -> None:
            call()
            if device.type == "cuda":
                torch.cuda.synchronize(device)

        return run

    alone = device.type == "cpu" and config.training.threads == 1
    clock = time.process_time if alone else time.perf_counter
    found: dict[str, float | str | None] = {"step_s": median_seconds(waited(lambda: steps.take(1)), clock)}
    if agent.masks.generators:
        stored = random_trajectories(config) if config.generator.needs_trajectories else None
        found["supervised_s"] = median_seconds(waited(lambda: agent.masks.begin_mask_update(stored)), clock)
        found["mask_step_s"] = median_seconds(waited(lambda: steps.take(1, learn_masks=True)), clock)
    key = json.dumps([config.env.task_names, config.env.reward, config.env.goals])
    names = config.env.task_names[:: max(1, len(config.env.task_names) // TASKS)][:TASKS]
    runners = [TaskRunner(name, 0, config.env) for name in names]
    policy = agent.numpy_policy().for_tasks([config.env.task_names.index(name) for name in names])
    found["env_step_s"] = median_seconds(lambda: collect(runners, policy, FRAMES)) / (FRAMES * len(names))
    if key not in simulators:
        simulators[key] = {
            "reset_s": median_seconds(lambda: [runner.eval_env.reset(0) for runner in runners]) / len(names)
        }
    found |= simulators[key]
    state = sum(_bytes(agent.snapshot(True)))
    return found | {
        "start_s": IMPORTED,
        "learner_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "worker_bytes": WORKER_BYTES,
        "state_bytes": state,
        "policy_bytes": sum(_bytes(agent.final_state())),
        "device": device.type,
    }


def median_seconds(call: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Return the median of a few calls after a first one that does not count; of one call where it takes long.

    Args:
        call: What is timed, by the clock; how often is decided by the seconds that somebody waits for it.
        clock: That of the CPU for what one thread does; else one that goes on by itself.
    """
    begun, start = time.perf_counter(), clock()
    call()
    if time.perf_counter() - begun > LONGEST:
        return clock() - start
    begun, seconds = time.perf_counter(), list[float]()
    while len(seconds) < 2 or (len(seconds) < 15 and time.perf_counter() - begun < LONGEST / 3):
        start = clock()
        call()
        seconds.append(clock() - start)
    return statistics.median(seconds)


def _bytes(value: Any) -> Iterator[int]:
    """Yield the sizes of all tensors in nested data."""
    if isinstance(value, torch.Tensor):
        yield value.numel() * value.element_size()
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _bytes(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _bytes(item)


IMPORTED = time.process_time()
"""Seconds that the CPU needed for the start, and for everything that a run imports, too."""

if __name__ == "__main__":
    sys.exit(main())
