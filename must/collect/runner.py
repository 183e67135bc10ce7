"""One task inside a worker: its environments, its random stream, and the episode it is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from must.acting import ActingPolicy
from must.config import EnvConfig
from must.envs import N_GOALS, TaskEnv, TaskGoals
from must.seeding import Stream, numpy_rng
from must.types import ACTION_DIM, Collected, Episode, Float32


@dataclass(frozen=True)
class RunnerState:
    """Where a task's collection stands: enough to go on exactly, in another process."""

    rng: dict[str, Any]
    """State of the task's random generator (plain numbers)."""
    goal: int
    """Goal of the episode in progress."""
    actions: Float32
    """(T, 4): actions taken in it so far; replaying them restores the simulator."""


class TaskRunner:
    """Collects and evaluates one task."""

    def __init__(self, name: str, seed: int, env: EnvConfig) -> None:
        """Build the task's environments and start its first episode.

        Args:
            name: Meta-World's name of the task.
            seed: The run's seed.
            env: Goals, reward and horizon.
        """
        self._horizon = env.horizon
        goals = TaskGoals(name, seed)
        self._env, self._eval_env = TaskEnv(goals, env.reward), TaskEnv(goals, env.reward)
        self._rng = numpy_rng(seed, Stream.COLLECTION, name)
        eval_order = numpy_rng(seed, Stream.EVALUATION, name).permutation(N_GOALS)
        self._fixed_goal = int(eval_order[0]) if env.goals == "fixed" else None
        self._eval_goals = [int(goal) for goal in eval_order]
        self._start_episode()

    def collect(self, policy: ActingPolicy, task: int, frames: int) -> Collected:
        """Take ``frames`` steps with the stochastic policy, starting new episodes where the horizon ends one.

        Args:
            policy: The published policy.
            task: Position of this task in it.
            frames: Environment steps.
        """
        observations, next_observations, actions, rewards = [], [], [], []
        episodes = []
        for _ in range(frames):
            noise = self._rng.standard_normal(ACTION_DIM, dtype=np.float32)
            action = policy.act(task, self._observations[-1], noise)
            observations.append(self._observations[-1])
            rewards.append(self._advance(action))
            actions.append(action)
            next_observations.append(self._observations[-1])
            if len(self._actions) == self._horizon:
                episodes.append(Episode(np.stack(self._observations), self._success))
                self._start_episode()
        return Collected(
            np.stack(observations),
            np.stack(actions),
            np.array(rewards, dtype=np.float32),
            np.stack(next_observations),
            tuple(episodes),
        )

    def evaluate(self, policy: ActingPolicy, task: int, episodes: int) -> tuple[float, float]:
        """Run whole episodes with the mean action; give the success rate and the mean return.

        With random goals each episode has another of the 50 train goals, the same ones at every evaluation. With a
        fixed goal all episodes would be the same one, step for step, so it is run once.
        """
        goals = self._eval_goals[:episodes] if self._fixed_goal is None else [self._fixed_goal]
        successes, returns = 0, 0.0
        for goal in goals:
            observation, succeeded = self._eval_env.reset(goal), False
            for _ in range(self._horizon):
                observation, reward, success = self._eval_env.step(policy.act(task, observation, None))
                returns += reward
                succeeded |= success
            successes += succeeded
        return successes / len(goals), returns / len(goals)

    def state(self) -> RunnerState:
        """Give where the collection stands."""
        actions = np.stack(self._actions) if self._actions else np.zeros((0, ACTION_DIM), np.float32)
        return RunnerState(dict(self._rng.bit_generator.state), self._goal, actions)

    def restore(self, state: RunnerState) -> None:
        """Go on from a saved state, by replaying the episode in progress."""
        self._begin(state.goal)
        for action in state.actions:
            self._advance(action)
        self._rng.bit_generator.state = state.rng

    def _start_episode(self) -> None:
        self._begin(int(self._rng.integers(N_GOALS)) if self._fixed_goal is None else self._fixed_goal)

    def _begin(self, goal: int) -> None:
        self._goal = goal
        self._observations: list[Float32] = [self._env.reset(goal)]
        self._actions: list[Float32] = []
        self._success = False

    def _advance(self, action: Float32) -> float:
        observation, reward, success = self._env.step(action)
        self._observations.append(observation)
        self._actions.append(action)
        self._success |= success
        return reward
