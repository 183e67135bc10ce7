"""Meta-World's scripted experts, judged by our evaluation and by Meta-World's own.

``python -m tests.support.experts`` prints the table of docs/evaluation.md: both success rates in the ten tasks of
MT10.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import gymnasium
import metaworld
import numpy as np
from metaworld.evaluation import evaluation
from metaworld.policies import ENV_POLICY_MAP
from numpy.typing import NDArray

from must.collect.runner import TaskRunner, evaluate
from must.config import EnvConfig
from must.envs import N_GOALS, TaskGoals
from must.tasks import BENCHMARKS, MAX_HORIZON
from must.types import Float32

LATE = {
    "reach-v3": 0.1,
    "push-v3": 0.425,
    "pick-place-v3": 0.25,
    "door-open-v3": 0.2,
    "drawer-open-v3": 0.165,
    "drawer-close-v3": 0.1354,
    "button-press-topdown-v3": 0.12,
    "peg-insert-side-v3": 0.6,
    "window-open-v3": 0.15,
    "window-close-v3": 0.14,
}
"""Paces at which an expert fails at some goals: success comes just before or just after the last step."""


class Experts:
    """Meta-World's expert of each task, in the place of a trained policy.

    An expert sees what a policy of ours sees, float32 observations, and acts as one: four float32 numbers in [-1, 1].
    """

    version = 0

    def __init__(self, paces: Mapping[str, float]) -> None:
        """Take the experts of some tasks.

        Args:
            paces: Task name -> factor on the speed of the hand. 1 is the expert as it is.
        """
        self._paces = dict(paces)
        self._experts = [ENV_POLICY_MAP[name]() for name in paces]
        self._factors = [np.array([pace, pace, pace, 1]) for pace in paces.values()]

    def for_tasks(self, tasks: Sequence[int]) -> Experts:
        """Keep the experts of some tasks, in that order."""
        items = list(self._paces.items())
        return Experts(dict(items[task] for task in tasks))

    def act(self, observations: NDArray[Any], noise: Float32 | None) -> Float32:
        """Return each task's action (K, 4); an expert has a mean action only."""
        assert noise is None, "an evaluation takes the mean action"
        seen = observations.astype(np.float32).astype(np.float64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # experts ask for more than 1, and warn of it at every step
            wanted = [expert.get_action(row) for expert, row in zip(self._experts, seen, strict=True)]
        actions: Float32 = (np.clip(wanted, -1, 1) * self._factors).astype(np.float32)
        return actions

    def eval_action(self, observations: NDArray[np.float64]) -> Float32:
        """Return each task's action, as Meta-World's evaluation asks for it."""
        return self.act(observations, None)

    def reset(self, env_mask: NDArray[np.bool_]) -> None:
        """Do nothing: an expert remembers nothing."""


def our_success(paces: Mapping[str, float], seed: int, episodes: int = N_GOALS) -> dict[str, float]:
    """Return the success rate of each task's expert in our evaluation."""
    env = EnvConfig(tasks=list(paces), horizon=MAX_HORIZON)
    results = evaluate([TaskRunner(name, seed, env) for name in paces], Experts(paces), episodes)
    return {name: success for name, (success, _) in zip(paces, results, strict=True)}


def our_goals(name: str, seed: int, episodes: int = N_GOALS) -> list[int]:
    """Return the goals at which our evaluation judges a task."""
    return TaskRunner(name, seed, EnvConfig(tasks=[name])).evaluation_goals(episodes)


class TheirResult(NamedTuple):
    """What Meta-World's evaluation gives."""

    mean: float
    success: dict[str, float]
    """Success rate of each task."""
    goals: dict[str, list[int]]
    """Goal of every episode begun in each task. It begins some that it does not count: the last of each task, and those
    of tasks that are through while others are not."""


def their_success(paces: Mapping[str, float], seed: int, goals: Mapping[str, list[int]]) -> TheirResult:
    """Judge each task's expert with Meta-World's evaluation, on its environments and wrappers as it builds them.

    Args:
        paces: The tasks, and the experts' paces.
        seed: Seed of ours, from which the goals of each task follow.
        goals: The numbers of the goals, as many for each task.
    """
    all_tasks = {name: TaskGoals(name, seed).tasks for name in paces}
    # With `pseudorandom` all goals come once, in an order of its own, before one comes again. Meta-World's default
    # draws one of the 50 at each reset, so that 50 episodes miss a third of the goals.
    makers = [
        partial(
            metaworld._init_each_env,
            metaworld.ALL_V3_ENVIRONMENTS[name],
            [tasks[goal] for goal in goals[name]],
            seed=seed,
            max_episode_steps=MAX_HORIZON,
            task_select="pseudorandom",
        )
        for name, tasks in all_tasks.items()
    ]
    envs = gymnasium.vector.SyncVectorEnv(makers, autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP)
    envs.call("toggle_sample_tasks_on_reset", True)
    begun = {name: _note_goals(env.unwrapped, all_tasks[name]) for name, env in zip(all_tasks, envs.envs, strict=True)}
    (episodes,) = {len(numbers) for numbers in goals.values()}
    mean, _, success, _ = evaluation(Experts(paces), envs, episodes)
    envs.close()
    return TheirResult(mean, success, begun)


def _note_goals(env: Any, tasks: Sequence[metaworld.Task]) -> list[int]:
    """Return a list that grows by the number of each goal that an environment is set to."""
    numbers = {task.data: number for number, task in enumerate(tasks)}
    noted: list[int] = []
    set_task = env.set_task

    def note(task: metaworld.Task) -> None:
        noted.append(numbers[task.data])
        set_task(task)

    env.set_task = note
    return noted


def main(seed: int = 0) -> None:
    """Print the table."""
    sys.stdout.write("| task | expert: `must` | Meta-World | slowed: `must` | Meta-World |\n|---|---|---|---|---|\n")
    rows = []
    for name in BENCHMARKS["MT10"]:
        row = []
        for pace in (1.0, LATE[name]):
            theirs = their_success({name: pace}, seed, {name: our_goals(name, seed)})
            row += [our_success({name: pace}, seed)[name], theirs.success[name]]
        rows.append(row)
        sys.stdout.write("| `{}` | {:.2f} | {:.2f} | {:.2f} | {:.2f} |\n".format(name, *row))
        sys.stdout.flush()
    sys.stdout.write("| mean | {:.3f} | {:.3f} | {:.3f} | {:.3f} |\n".format(*np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
