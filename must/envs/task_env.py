"""One Meta-World task, built from Meta-World's public classes.

Meta-World's own multi-task makers are not used: they ignore ``reset(seed=...)``, give one seed different goals in MT1,
MT10 and a custom list, and share one seed among the tasks. Here a task's goals follow from the run's seed and the
task's name alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import metaworld
import mujoco
import numpy as np
from metaworld.sawyer_xyz_env import SawyerXYZEnv
from metaworld.types import Task
from numpy.typing import NDArray

from must.envs.fast import fast_class
from must.envs.start import Start
from must.errors import NumericalError
from must.seeding import Stream, integer_seed
from must.types import Float32

N_GOALS = 50
"""Train goals that Meta-World draws for each task."""


class TaskGoals:
    """The 50 train goals of a task, shared by its training and its evaluation environment."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        with _frozen_simulator():
            self.tasks: Sequence[Task] = metaworld.MT1(name, seed=integer_seed(seed, Stream.GOALS, name)).train_tasks


class TaskEnv:
    """An environment of one task, stepped by a collector or an evaluation.

    A reset forgets everything that came before it (held by a test over all tasks), so the state in the middle of an
    episode is its goal and the actions since.
    """

    def __init__(self, goals: TaskGoals, reward: str) -> None:
        """Build the environment.

        Args:
            goals: The goals it can be reset to.
            reward: Meta-World's reward function, ``v1`` or ``v2``.
        """
        self.name = goals.name
        self._goals = goals.tasks
        self._env = fast_class(metaworld.ALL_V3_ENVIRONMENTS[goals.name])(reward_function_version=reward)
        self._starts: dict[int, Start] = {}

    @property
    def simulator(self) -> tuple[mujoco.MjModel, mujoco.MjData]:
        """MuJoCo's model and the state it is in, for a camera; whoever changes them changes the episode."""
        return self._env.model, self._env.data

    @property
    def goal_position(self) -> NDArray[np.float64]:
        """Where the goal of the episode lies (3,), in metres."""
        position: NDArray[np.float64] = self._env._target_pos
        return position

    @property
    def step_seconds(self) -> float:
        """Simulated time of a step."""
        return float(self._env.dt)

    def reset(self, goal: int) -> Float32:
        """Start an episode at one of the 50 goals; return the first observation (D,), goal visible."""
        if goal in self._starts:
            self._starts[goal].restore(self._env)
        else:
            self._env.set_task(self._goals[goal])
            observation, _ = self._env.reset()
            self._starts[goal] = Start.of(self._env, observation.astype(np.float32))
        return self._starts[goal].observation.copy()

    def step(self, action: Float32) -> tuple[Float32, float, bool]:
        """Take one step with an action (4,) in [-1, 1]; return the observation (D,), the reward and the success flag.

        Raises:
            NumericalError: The action, or the observation or reward that follows, is not finite.
        """
        if not _finite(action):
            raise NumericalError(f"task {self.name}: the policy gave an action that is not finite; lower sac.lr")
        observation, reward, _, _, info = self._env.step(action)
        observation, reward = observation.astype(np.float32), float(reward)
        if not (math.isfinite(reward) and _finite(observation)):
            raise NumericalError(f"task {self.name}: the simulator gave a reward or an observation that is not finite")
        return observation, reward, bool(info["success"] > 0)


def _finite(values: NDArray[Any]) -> bool:
    """Return whether all values of a vector are finite; one product tells it soonest, unless that overflows."""
    return math.isfinite(values.dot(values)) or bool(np.isfinite(values).all())


@contextmanager
def _frozen_simulator() -> Iterator[None]:
    """Let no time pass in Meta-World's environments.

    To draw a goal Meta-World resets an environment and moves the arm to its start, which takes far longer than drawing.
    The goals do not depend on it (a test holds this for every task); that all parts have a place they do.
    """

    def place(env: SawyerXYZEnv, *_: object, **__: object) -> None:
        mujoco.mj_kinematics(env.model, env.data)

    SawyerXYZEnv.do_simulation = place
    try:
        yield
    finally:
        del SawyerXYZEnv.do_simulation
