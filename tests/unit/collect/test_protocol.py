"""What an evaluation protocol promises, and that Meta-World's own evaluation gives the same number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from must.collect.runner import TaskRunner, evaluate
from must.config import EnvConfig, dump, identity, parse_experiment
from must.envs import N_GOALS
from must.errors import ConfigError
from must.tasks import BENCHMARKS, MAX_HORIZON
from must.types import ACTION_DIM, OBS_DIM, Float32
from tests.support.experts import LATE, our_goals, our_success, their_success
from tests.support.helpers import merged

STANDARD: dict[str, Any] = {
    "env": {"tasks": ["reach-v3"], "goals": "random", "horizon": MAX_HORIZON},
    "evaluation": {"protocol": "standard"},
}


class Script:
    """An environment that reports success at the given steps of an episode, and 1 as reward."""

    def __init__(self, successes: dict[int, set[int]]) -> None:
        self._successes, self.goals, self.steps = successes, [], 0

    def reset(self, goal: int) -> Float32:
        self.goals.append(goal)
        self.steps = 0
        return np.zeros(OBS_DIM, np.float32)

    def step(self, action: Float32) -> tuple[Float32, float, bool]:
        self.steps += 1
        return np.zeros(OBS_DIM, np.float32), 1.0, self.steps in self._successes.get(self.goals[-1], set())


class Still:
    """A policy that does nothing, and notes whether it was asked for anything but the mean action."""

    def __init__(self) -> None:
        self.noisy = False

    def act(self, observations: Float32, noise: Float32 | None) -> Float32:
        self.noisy |= noise is not None
        return np.zeros((len(observations), ACTION_DIM), np.float32)


def scripted(successes: dict[int, set[int]], **env: Any) -> TaskRunner:
    runner = TaskRunner("reach-v3", 0, EnvConfig(tasks=["reach-v3"], **env))
    runner.eval_env = Script(successes)
    return runner


def test_meta_worlds_evaluation_gives_the_same_number():
    """With experts that come too late for some goals, two tasks side by side."""
    paces = {name: LATE[name] for name in ("reach-v3", "door-open-v3")}
    goals = {name: our_goals(name, 0, 4) for name in paces}
    ours, theirs = our_success(paces, 0, 4), their_success(paces, 0, goals)
    assert ours == theirs.success
    assert np.mean(list(ours.values())) == theirs.mean
    assert 0 < theirs.mean < 1
    for name, begun in theirs.goals.items():
        assert sorted(begun[:4]) == sorted(goals[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHMARKS["MT10"])
def test_meta_worlds_evaluation_gives_the_same_number_at_all_goals(name):
    paces = {name: 1.0}
    ours, theirs = our_success(paces, 0), their_success(paces, 0, {name: our_goals(name, 0)})
    assert sorted(theirs.goals[name][:N_GOALS]) == list(range(N_GOALS))
    assert ours == theirs.success
    assert ours[name] == theirs.mean
    assert ours[name] > 0.8


def test_the_standard_protocol_judges_each_goal_exactly_once():
    config = parse_experiment(STANDARD).run_config()
    runner, policy = scripted({}, goals=config.env.goals, horizon=2), Still()
    evaluate([runner], policy, config.evaluation.episodes)
    assert sorted(runner.eval_env.goals) == list(range(N_GOALS))
    assert not policy.noisy


def test_goals_are_the_same_at_every_evaluation_whatever_was_collected():
    runner = TaskRunner("reach-v3", 3, EnvConfig(tasks=["reach-v3"], horizon=2))
    first = runner.evaluation_goals(N_GOALS)
    assert sorted(first) == list(range(N_GOALS))
    for _ in range(5):
        runner.step(np.zeros(ACTION_DIM, np.float32))
        runner.end_episode()
    assert runner.evaluation_goals(N_GOALS) == first == our_goals("reach-v3", 3)
    assert runner.evaluation_goals(3) == first[:3]
    assert our_goals("reach-v3", 4) != first


@pytest.mark.parametrize("steps", [{1}, {7}, {20}, {3, 4, 20}], ids=str)
def test_a_success_counts_at_any_step_even_when_it_is_lost_again(steps):
    goals = our_goals("reach-v3", 0, 4)
    runner = scripted({goals[2]: steps}, horizon=20)
    assert evaluate([runner], Still(), 4) == [(0.25, 20.0)]  # an episode goes on after a success: the return is whole
    assert runner.eval_env.steps == 20


def test_an_evaluation_may_be_longer_than_training_episodes():
    goals = our_goals("reach-v3", 0, 4)
    runner = scripted({goals[2]: {35}}, horizon=20)
    assert evaluate([runner], Still(), 4) == [(0.0, 20.0)]
    assert evaluate([runner], Still(), 4, 40) == [(0.25, 40.0)]
    assert runner.horizon == 20


def test_what_the_protocols_settle():
    standard = parse_experiment(STANDARD).run_config().evaluation
    assert (standard.episodes, standard.interval) == (50, 10)
    chosen = parse_experiment(merged(STANDARD, {"evaluation": {"interval": 25}})).run_config().evaluation
    assert (chosen.episodes, chosen.interval) == (50, 25)
    original = parse_experiment(STANDARD | {"evaluation": {"protocol": "original"}}).run_config().evaluation
    assert (original.episodes, original.interval) == (3, 1)


@pytest.mark.parametrize("protocol", ["original", "standard"])
def test_a_protocol_is_short_for_its_keys(protocol):
    named = parse_experiment(STANDARD | {"evaluation": {"protocol": protocol}}).run_config()
    keys = {"interval": named.evaluation.interval, "episodes": named.evaluation.episodes}
    assert identity(named) == identity(parse_experiment(STANDARD | {"evaluation": keys}).run_config())
    assert f"protocol: {protocol}" in dump(named)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"evaluation": {"episodes": 10}}, ["evaluation", "protocol: standard", "episodes", "50"]),
        ({"evaluation": {"protocol": "original", "episodes": 50}}, ["protocol: original", "episodes", "3"]),
        ({"evaluation": {"protocol": "original", "interval": 5}}, ["protocol: original", "interval", "1"]),
        ({"env": {"goals": "fixed"}}, ["evaluation.protocol: standard", "env.goals"]),
        ({"env": {"reward": "v1"}}, ["evaluation.protocol: standard", "env.reward"]),
        ({"env": {"horizon": 150}}, ["evaluation.protocol: standard", "env.horizon", "500"]),
        ({"evaluation": {"protocol": "usual"}}, ["evaluation.protocol", "usual"]),
    ],
    ids=str,
)
def test_a_contradiction_is_refused_and_names_the_key(changes, words):
    with pytest.raises(ConfigError) as caught:
        parse_experiment(merged(STANDARD, changes))
    assert [word for word in words if word not in str(caught.value)] == []
