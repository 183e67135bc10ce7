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


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_hand_is_led_to_where_meta_world_leads_it_to_the_last_bit(kind):
    original = metaworld.ALL_V3_ENVIRONMENTS["reach-v3"]()
    fast = fast_class(metaworld.ALL_V3_ENVIRONMENTS["reach-v3"])()
    rng = np.random.default_rng(0)
    for _ in range(400):
        place = rng.uniform(original.mocap_low - 0.005, original.mocap_high + 0.005)
        action = rng.normal(size=3).astype(kind) * kind(10.0 ** rng.integers(-6, 2))
        for env in (original, fast):
            env.data.mocap_pos[0] = place
            env.set_xyz_action(action)
        assert fast.data.mocap_pos.tobytes() == original.data.mocap_pos.tobytes()
        assert np.array_equal(fast.data.mocap_quat, original.data.mocap_quat)


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


def test_a_tolerance_of_a_number_is_meta_worlds_to_the_last_bit():
    from metaworld.utils import reward_utils

    from must.envs.rewards import tolerance

    rng = np.random.default_rng(0)
    for number in range(4000):
        lower, upper = np.sort(rng.normal(size=2)) if number % 2 else (0, abs(rng.normal()))
        x = (float, np.float64)[number % 3 == 0](rng.normal() * 10.0 ** rng.integers(-8, 8))
        margin = 0.0 if number % 7 == 0 else np.float64(abs(rng.normal()) * 10.0 ** rng.integers(-9, 3))
        wanted = reward_utils.tolerance(x, (lower, upper), margin, "long_tail", 0.1)
        found = tolerance(x, (lower, upper), margin, "long_tail")
        assert type(found) is type(wanted)
        assert found == wanted
    for x in (np.nan, np.inf, -np.inf, 1e200):
        wanted = reward_utils.tolerance(x, (0, 0.1), 1e-9, "long_tail")
        assert np.array_equal(tolerance(x, (0, 0.1), 1e-9, "long_tail"), wanted, equal_nan=True)


def test_meta_worlds_own_tolerance_does_the_rest():
    from metaworld.utils import reward_utils

    from must.envs.rewards import tolerance

    for x, options in ((np.array([0.1, 0.9]), {"sigmoid": "long_tail"}), (0.7, {"sigmoid": "gaussian"})):
        np.testing.assert_array_equal(
            tolerance(x, (0, 0.2), 0.5, **options), reward_utils.tolerance(x, (0, 0.2), 0.5, **options)
        )
    for bounds, margin, word in (((1, 0), 0.1, "Lower bound"), ((0, 1), -0.1, "non-negative")):
        with pytest.raises(ValueError, match=word):
            tolerance(0.5, bounds, margin, "long_tail")


def test_the_length_of_a_vector_is_numpys_to_the_last_bit():
    from must.envs.rewards import norm

    rng = np.random.default_rng(0)
    for shape in ((3,), (2,), (7,), (1,)):
        for _ in range(300):
            vector = rng.normal(size=shape) * 10.0 ** rng.integers(-9, 9)
            for x in (vector, vector[::-1], np.repeat(vector, 2)[::2], vector.astype(np.float32)):
                assert norm(x).tobytes() == np.linalg.norm(x).tobytes()
    for number in [0.0, -0.0, 1e-200, 1e200, np.inf, np.nan, *rng.normal(size=300) * 10.0 ** rng.integers(-9, 9, 300)]:
        for x in (float(number), np.float64(number)):
            with np.errstate(over="ignore"):
                found, wanted = norm(x), np.linalg.norm(x)
            assert type(found) is type(wanted)
            assert found.tobytes() == wanted.tobytes()
    assert norm(np.eye(3), axis=1).tolist() == [1, 1, 1]
    assert norm([3, 4]) == 5
