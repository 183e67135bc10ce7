"""The faster environments against Meta-World's own."""

import metaworld
import numpy as np
import pytest

from must.envs import TaskGoals
from must.envs.fast import _Rotation, fast_class
from must.tasks import ALL_TASKS


def compare(name: str, reward: str, seed: int, steps: int) -> None:
    """Take the same random steps in both, through a reset in the middle."""
    goals, rng = TaskGoals(name, seed).tasks, np.random.default_rng(seed)
    original = metaworld.ALL_V3_ENVIRONMENTS[name](reward_function_version=reward)
    fast = fast_class(metaworld.ALL_V3_ENVIRONMENTS[name])(reward_function_version=reward)
    for goal, length in ((3, steps // 4), (5, steps - steps // 4)):
        firsts = []
        for env in (original, fast):
            env.set_task(goals[goal])
            firsts.append(env.reset()[0])
        assert_same(*firsts)
        # Held for some steps, random actions bring the hand to the objects.
        for action in rng.uniform(-1, 1, (length // 5, 4)).astype(np.float32).repeat(5, axis=0):
            (wanted, *wanted_rest), (observation, *rest) = original.step(action), fast.step(action)
            assert_same(wanted, observation)
            assert rest == wanted_rest  # reward, ends of the episode, and success with all else in the info


def assert_same(wanted: np.ndarray, observation: np.ndarray) -> None:
    assert observation.dtype == wanted.dtype
    assert observation.shape == wanted.shape
    assert np.abs(observation - wanted).max() <= 1e-12


@pytest.mark.parametrize("name", ALL_TASKS)
def test_observations_and_rewards_are_meta_worlds(name):
    compare(name, "v2", seed=0, steps=40)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL_TASKS)
def test_observations_and_rewards_are_meta_worlds_over_whole_episodes(name):
    for reward in ("v1", "v2"):
        for seed in range(3):
            compare(name, reward, seed, steps=500)


def test_every_branch_of_the_rotation():
    from scipy.spatial.transform import Rotation

    rotations = Rotation.random(200, rng=np.random.default_rng(0)).as_matrix()
    turned = [np.eye(3), *(np.diag(signs) for signs in ((1, -1, -1), (-1, 1, -1), (-1, -1, 1)))]
    for matrix in (*rotations, *turned):
        wanted = Rotation.from_matrix(matrix).as_quat()
        assert np.abs(_Rotation.from_matrix(matrix).as_quat() - wanted).max() <= 1e-12


def test_an_episode_ends_where_meta_worlds_does():
    env = fast_class(metaworld.ALL_V3_ENVIRONMENTS["reach-v3"])()
    env.set_task(TaskGoals("reach-v3", 0).tasks[0])
    env.reset()
    for number in range(500):
        *_, truncated, _ = env.step(np.zeros(4, dtype=np.float32))
        assert truncated == (number == 499)
    with pytest.raises(ValueError, match="ended after 500 steps"):
        env.step(np.zeros(4, dtype=np.float32))


def test_a_part_that_the_model_lacks_is_named():
    env = fast_class(metaworld.ALL_V3_ENVIRONMENTS["reach-v3"])()
    with pytest.raises(KeyError, match="no_such_site"):
        env._sites["no_such_site"]
