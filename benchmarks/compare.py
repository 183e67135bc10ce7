"""Compare the speed of two commits of this repository on one machine: `python benchmarks/compare.py OLD NEW`.

Each is checked out aside, and both are measured in turn, so that a machine that slows down meanwhile slows down both.
Prints a Markdown table, of each commit's median in its quietest round: other tenants of a shared machine only ever make
things slower. The sizes are those of config/mt10_paper.yaml: 10 tasks, 400 x 3, batches of 1280;
and, once, those of config/quick.yaml: 3 tasks, 192 x 3, batches of 192.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WEIGHT = {"masks.pruning_ratio": "0.5"}
NEURON = {"masks.granularity": "neuron", "masks.mask_biases": "null", "generator.head": "null"}
KINDS = {
    "dense": {"masks.pruning_ratio": "0"},
    "weight masks 0.5": WEIGHT,
    **{f"neuron masks {ratio}": NEURON | {"masks.pruning_ratio": ratio} for ratio in ("0.5", "0.8", "0.95")},
}
KINDS["neuron masks 0.5, the sizes of quick"] = KINDS["neuron masks 0.5"] | {
    "env.n_tasks": "3",
    "network.hidden_sizes": "[192, 192, 192]",
    "sac.batch_size_per_task": "64",
}
LEARNED = {
    "weight masks 0.5, dense head": WEIGHT,
    "weight masks 0.5, factorised head": WEIGHT | {"generator.head": "factorised"},
    "neuron masks 0.5": KINDS["neuron masks 0.5"],
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", help="commit")
    parser.add_argument("new", help="commit")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (default 3)")
    options = parser.parse_args()
    found: dict[str, dict[str, list[float]]] = {options.old: {}, options.new: {}}
    with tempfile.TemporaryDirectory() as scratch:
        for commit in found:
            subprocess.run(["git", "worktree", "add", "--detach", f"{scratch}/{commit}", commit], check=True)
        for _ in range(options.rounds):
            for commit, times in found.items():
                for name, value in _measured(Path(scratch) / commit).items():
                    times.setdefault(name, []).append(value)
        for commit in found:
            subprocess.run(["git", "worktree", "remove", "--force", f"{scratch}/{commit}"], check=True)
    lines = [f"| ms | {options.old} | {options.new} | times as fast |", "|---|---:|---:|---:|"]
    for name in found[options.old]:
        old, new = (min(found[commit][name]) for commit in (options.old, options.new))
        lines.append(f"| {name} | {old:.3g} | {new:.3g} | {old / new:.1f} |")
    sys.stdout.write("\n".join(lines) + "\n")


def _measured(checkout: Path) -> dict[str, float]:
    """Measure a checkout in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    command = [sys.executable, __file__, "--child", str(checkout / "config" / "mt10_paper.yaml")]
    done = subprocess.run(command, env=environment, cwd=checkout, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def _measure_this(config_file: Path) -> dict[str, float]:
    """Measure the `must` that is on the path, by what all its versions have."""
    import numpy as np
    import torch

    from must import algorithms
    from must.buffers import ReplayBuffer
    from must.buffers.replay import ROW_DIM
    from must.config import load_experiment

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    try:
        make_agent = algorithms.make_agent
    except AttributeError:
        try:
            from must.methods import make_agent
        except ImportError:
            make_agent = algorithms.Agent
    try:
        from must.memory import keep_freed_memory
    except ImportError:
        pass
    else:
        keep_freed_memory()

    def made(overrides: dict[str, str]) -> tuple[Any, Callable[[bool], object]]:
        config = load_experiment(config_file, overrides).run_config()
        agent = make_agent(config, torch.device("cpu"))
        masks = getattr(agent, "masks", agent)
        if getattr(masks, "mask_learner", None) is not None:
            if hasattr(masks, "publish_random_masks"):
                masks.publish_random_masks()
            else:
                publish = "publish_initial" if hasattr(masks, "publish_initial") else "publish_initial_masks"
                getattr(masks, publish)(None)
        replay, rows = ReplayBuffer(agent.n_tasks, 40_000, torch.device("cpu")), config.sac.batch_size_per_task
        replay.append_rows(torch.randn(agent.n_tasks, 2000, ROW_DIM, generator=torch.Generator().manual_seed(0)))
        return agent, lambda learn: agent.gradient_step(replay.sample(rows, agent.rngs["batches"]), learn)

    found = {}
    for name, overrides in KINDS.items():
        agent, step = made(overrides)
        found[f"gradient step, {name}"] = _median(lambda step=step: step(False), 12)  # type: ignore[misc]
        found[f"policy inference of one task, {name}"] = _inference(agent.numpy_policy())
    trajectories: Any = np.random.default_rng(0).normal(size=(10, 151, 39)).astype(np.float32)
    try:
        from must.types import Trajectories
    except ImportError:
        pass
    else:
        trajectories = Trajectories(trajectories, np.arange(10))
    for name, overrides in LEARNED.items():
        agent, step = made(overrides)
        masks = getattr(agent, "masks", agent)
        update = _median(lambda masks=masks: masks.begin_mask_update(trajectories), 2)  # type: ignore[misc]
        found[f"supervised update, a step of each generator, {name}"] = update / 5
        found[f"gradient step that learns masks, {name}"] = _median(lambda step=step: step(True), 4)  # type: ignore[misc]
    return found


def _inference(policy: Any) -> float:
    """Measure a task's share of the policy's inference; earlier versions take one task at a time."""
    import numpy as np

    n_tasks = len(policy.weights[0])
    n_tasks = n_tasks if n_tasks > 1 else 10
    observations, noise = np.zeros((n_tasks, 39), np.float32), np.zeros((n_tasks, 4), np.float32)
    try:
        policy.act(observations, noise)
    except TypeError:
        return _median(lambda: policy.act(0, observations[0], noise[0]), 300)
    return _median(lambda: policy.act(observations, noise), 300) / n_tasks


def _median(function: Callable[[], object], repeats: int) -> float:
    """Return the milliseconds of a call."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        sys.stdout.write(json.dumps(_measure_this(Path(sys.argv[2]))))
    else:
        main()
