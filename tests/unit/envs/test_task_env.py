import pickle

import metaworld
import numpy as np
import pytest

from must.envs import N_GOALS, TaskEnv, TaskGoals
from must.envs.task_env import _finite
from must.errors import NumericalError
from must.tasks import ALL_TASKS, BENCHMARKS, MAX_HORIZON


def slow(value):
    return pytest.param(value, marks=pytest.mark.slow)


def rollout(env: TaskEnv, goal: int, seed: int, steps: int = 40) -> bytes:
    rng = np.random.default_rng(seed)
    content = [env.reset(goal)]
    for _ in range(steps):
        observation, reward, success = env.step(rng.uniform(-1, 1, 4).astype(np.float32))
        content += [observation, np.array([reward, success])]
    return b"".join(part.tobytes() for part in content)


def test_task_names_are_meta_worlds_own():
    from metaworld import env_dict

    assert set(ALL_TASKS) == set(metaworld.ALL_V3_ENVIRONMENTS)
    assert BENCHMARKS["MT10"] == tuple(env_dict.MT10_V3)
    assert BENCHMARKS["MT25"] == tuple(env_dict.MT25_V3)
    assert BENCHMARKS["MT50"] == tuple(env_dict.MT50_V3)
    env = metaworld.ALL_V3_ENVIRONMENTS["reach-v3"]()
    assert env.max_path_length == MAX_HORIZON


@pytest.mark.parametrize("reward", ["v1", "v2"])
@pytest.mark.parametrize("name", ["reach-v3", "door-open-v3", "peg-insert-side-v3"])
def test_a_reset_forgets_everything_before_it(name, reward):
    goals = TaskGoals(name, 0)
    fresh, used = TaskEnv(goals, reward), TaskEnv(goals, reward)
    rollout(used, 7, 1)
    rollout(used, 8, 2)
    assert rollout(fresh, 3, 5) == rollout(used, 3, 5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL_TASKS)
def test_a_reset_forgets_everything_before_it_in_every_task(name):
    goals = TaskGoals(name, 1)
    for reward in ("v1", "v2"):
        fresh, used = TaskEnv(goals, reward), TaskEnv(goals, reward)
        rollout(used, 7, 1, 100)
        assert rollout(fresh, 3, 5, 100) == rollout(used, 3, 5, 100)


def contents(env: TaskEnv) -> dict[str, bytes]:
    """Return the environment's attributes and the arrays of the simulator that an episode or a camera can depend on."""
    model, data = env.simulator
    found = {}
    for part, owner in (("model", model), ("data", data)):
        for name in dir(owner):
            value = None if name.startswith("_") else getattr(owner, name)
            if isinstance(value, np.ndarray) and (part == "model" or name in OF_THE_STATE or name.startswith(POSES)):
                found[f"{part}.{name}"] = value.tobytes()
    for name, value in vars(env._env).items():
        if isinstance(value, np.ndarray):
            found[name] = value.tobytes()
        elif isinstance(value, np.generic | int | float | str | list | tuple | None):
            found[name] = pickle.dumps(value)
    return found


OF_THE_STATE = ("qpos", "qvel", "act", "qacc_warmstart", "ctrl", "qfrc_applied", "mocap_pos", "mocap_quat", "eq_active")
POSES = ("xpos", "xquat", "xmat", "geom_x", "site_x", "cam_x")


def compare_resets(name: str, reward: str) -> None:
    """Compare the second reset to a goal with a first one, and the episodes that follow."""
    goals = TaskGoals(name, 1)
    fresh, used = TaskEnv(goals, reward), TaskEnv(goals, reward)
    for goal in (3, 7):
        rollout(used, goal, 1, 60)
    assert fresh.reset(3).tobytes() == used.reset(3).tobytes()
    wanted, found = contents(fresh), contents(used)
    assert {key: found[key] for key in wanted} == wanted
    assert rollout(fresh, 3, 5, 100) == rollout(used, 3, 5, 100)
    assert rollout(fresh, 7, 5, 100) == rollout(used, 7, 5, 100)


@pytest.mark.parametrize("reward", ["v1", "v2"])
@pytest.mark.parametrize("name", ["pick-place-v3", "door-lock-v3"])  # of those whose attributes show simulator memory
def test_a_goal_starts_the_second_time_as_it_did_the_first_time(name, reward):
    compare_resets(name, reward)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL_TASKS)
def test_every_task_starts_the_second_time_as_it_did_the_first_time(name):
    for reward in ("v1", "v2"):
        compare_resets(name, reward)


def test_goals_follow_from_the_seed_and_the_name():
    def content(name: str, seed: int) -> list[bytes]:
        return [task.data for task in TaskGoals(name, seed).tasks]

    assert len(set(content("push-v3", 0))) == N_GOALS
    assert content("push-v3", 0) == content("push-v3", 0)
    assert content("push-v3", 0) != content("push-v3", 1)


@pytest.mark.parametrize(
    "name",
    [
        name if name in ("reach-v3", "lever-pull-v3", "basketball-v3", "shelf-place-v3") else slow(name)
        for name in ALL_TASKS
    ],
)
def test_goals_are_meta_worlds_own(name):
    from must.seeding import Stream, integer_seed

    wanted = metaworld.MT1(name, seed=integer_seed(2, Stream.GOALS, name)).train_tasks
    assert [task.data for task in TaskGoals(name, 2).tasks] == [task.data for task in wanted]


def test_the_goal_is_visible_and_differs_between_goals():
    env = TaskEnv(TaskGoals("reach-v3", 0), "v2")
    first, second = env.reset(0), env.reset(1)
    assert first.shape == (39,)
    assert first.dtype == np.float32
    assert (first[-3:] != 0).all()
    assert not np.array_equal(first[-3:], second[-3:])


def test_the_two_rewards_differ():
    goals = TaskGoals("reach-v3", 0)
    rewards = []
    for version in ("v1", "v2"):
        env = TaskEnv(goals, version)
        env.reset(0)
        rewards.append(env.step(np.zeros(4, np.float32))[1])
    assert rewards[0] != rewards[1]


def test_an_action_that_is_not_finite_is_refused():
    env = TaskEnv(TaskGoals("reach-v3", 0), "v2")
    env.reset(0)
    with pytest.raises(NumericalError, match=r"reach-v3.*not finite"):
        env.step(np.array([0, np.nan, 0, 0], np.float32))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_large_values_are_finite_ones(kind):
    large = np.finfo(kind).max
    with np.errstate(over="ignore"):
        assert all(_finite(np.array([0, x], kind)) for x in (0, 1, -large, large, np.finfo(kind).tiny))
        assert not any(_finite(np.array([large, x], kind)) for x in (np.inf, -np.inf, np.nan))


def test_a_scripted_expert_succeeds():
    """The environment is the real one: Meta-World's own expert solves it."""
    from metaworld.policies import ENV_POLICY_MAP

    env, policy = TaskEnv(TaskGoals("drawer-close-v3", 0), "v2"), ENV_POLICY_MAP["drawer-close-v3"]()
    observation, succeeded = env.reset(0), False
    for _ in range(150):
        observation, _, success = env.step(np.clip(policy.get_action(observation.astype(np.float64)), -1, 1))
        succeeded |= success
    assert succeeded
