"""One task inside a worker: its environments, its random stream, and the episode it is in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from must.collect.messages import RunnerState
from must.config import EnvConfig
from must.envs import N_GOALS, TaskEnv, TaskGoals
from must.envs.normalise import NORMALISERS
from must.numpy_policy import NumpyPolicy
from must.seeding import Stream, numpy_rng
from must.types import ACTION_DIM, OBS_DIM, Collected, Episode, Float32


class TaskRunner:
    """Collects and evaluates one task."""

    def __init__(self, name: str, seed: int, env: EnvConfig) -> None:
        """Build the task's environments and start its first episode.

        Args:
            name: Meta-World's name of the task.
            seed: The run's seed.
            env: Goals, reward and its normalisation, horizon.
        """
        self.horizon = env.horizon
        goals = TaskGoals(name, seed)
        self._env, self.eval_env = TaskEnv(goals, env.reward), TaskEnv(goals, env.reward)
        self.normalise = NORMALISERS[env.reward_normalisation]()
        self._rng = numpy_rng(seed, Stream.COLLECTION, name)
        eval_order = numpy_rng(seed, Stream.EVALUATION, name).permutation(N_GOALS)
        self._fixed_goal = int(eval_order[0]) if env.goals == "fixed" else None
        self._eval_goals = [int(goal) for goal in eval_order]
        self._start_episode()

    @property
    def observation(self) -> Float32:
        """The newest observation (D,) of the episode in progress."""
        return self._observations[-1]

    def noise(self) -> Float32:
        """Draw the noise (4,) of the next action."""
        return self._rng.standard_normal(ACTION_DIM, dtype=np.float32)

    def uniform_action(self) -> Float32:
        """Draw an action (4,), uniform over [-1, 1]."""
        return self._rng.uniform(-1, 1, ACTION_DIM).astype(np.float32)

    def step(self, action: Float32) -> float:
        """Take a step with an action (4,); return the reward."""
        observation, reward, success = self._env.step(action)
        self._observations.append(observation)
        self._actions.append(action)
        self._success |= success
        return reward

    def end_episode(self) -> Episode | None:
        """Start a new episode if the horizon ends the one in progress, and return the old one then."""
        if len(self._actions) < self.horizon:
            return None
        episode = Episode(np.stack(self._observations), self._success)
        self._start_episode()
        return episode

    def evaluation_goals(self, episodes: int) -> list[int]:
        """Choose the goals to evaluate at: of random ones each time the same, each another of the 50 train goals.

        With a fixed goal all episodes would be the same one, step for step, so it is run once.
        """
        return self._eval_goals[:episodes] if self._fixed_goal is None else [self._fixed_goal]

    def state(self) -> RunnerState:
        """Return where the collection stands."""
        actions = np.stack(self._actions) if self._actions else np.zeros((0, ACTION_DIM), np.float32)
        return RunnerState(dict(self._rng.bit_generator.state), self._goal, actions, self.normalise.state)

    def restore(self, state: RunnerState) -> None:
        """Go on from a saved state, by replaying the episode in progress."""
        self._begin(state.goal)
        for action in state.actions:
            self.step(action)
        self._rng.bit_generator.state = state.rng
        self.normalise.restore(state.normaliser)

    def _start_episode(self) -> None:
        self._begin(int(self._rng.integers(N_GOALS)) if self._fixed_goal is None else self._fixed_goal)

    def _begin(self, goal: int) -> None:
        self._goal = goal
        self._observations: list[Float32] = [self._env.reset(goal)]
        self._actions: list[Float32] = []
        self._success = False


def collect(runners: Sequence[TaskRunner], policy: NumpyPolicy | None, frames: int) -> list[Collected]:
    """Take ``frames`` steps in each task with the stochastic policy, starting new episodes where the horizon ends one.

    Args:
        runners: The K tasks, which take their steps in turn.
        policy: The published policy, cut for them; None draws uniform actions.
        frames: Environment steps of each.
    """
    shape = len(runners), frames
    observations, next_observations = np.empty((2, *shape, OBS_DIM), np.float32)
    actions, rewards = np.empty((*shape, ACTION_DIM), np.float32), np.empty(shape, np.float32)
    episodes: list[list[Episode]] = [[] for _ in runners]
    for frame in range(frames):
        observations[:, frame] = [runner.observation for runner in runners]
        if policy is None:
            actions[:, frame] = [runner.uniform_action() for runner in runners]
        else:
            noise = np.stack([runner.noise() for runner in runners])
            actions[:, frame] = policy.act(observations[:, frame], noise)
        for task, runner in enumerate(runners):
            rewards[task, frame] = runner.normalise(runner.step(actions[task, frame]))
            next_observations[task, frame] = runner.observation
            if (episode := runner.end_episode()) is not None:
                episodes[task].append(episode)
    parts = zip(observations, actions, rewards, next_observations, map(tuple, episodes), strict=True)
    return [Collected(*part) for part in parts]


def evaluate(
    runners: Sequence[TaskRunner], policy: NumpyPolicy, episodes: int, horizon: int | None = None
) -> list[tuple[float, float]]:
    """Run whole episodes of each task with the mean action; return each one's success rate and mean return.

    Args:
        runners: The K tasks, which take their steps in turn.
        policy: The published policy, cut for them.
        episodes: Episodes of each; see `TaskRunner.evaluation_goals`.
        horizon: Steps of an episode (default: those of training).
    """
    rounds = list(zip(*(runner.evaluation_goals(episodes) for runner in runners), strict=True))
    successes, returns = np.zeros(len(runners), int), np.zeros(len(runners))
    for goals in rounds:
        observations = np.stack([runner.eval_env.reset(goal) for runner, goal in zip(runners, goals, strict=True)])
        succeeded = np.zeros(len(runners), bool)
        for _ in range(horizon or runners[0].horizon):
            for task, (runner, action) in enumerate(zip(runners, policy.act(observations, None), strict=True)):
                observations[task], reward, success = runner.eval_env.step(action)
                returns[task] += reward
                succeeded[task] |= success
        successes += succeeded
    return list(zip((successes / len(rounds)).tolist(), (returns / len(rounds)).tolist(), strict=True))
