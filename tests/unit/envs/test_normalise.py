"""Normalised rewards, against plain formulas and gymnasium's own wrapper."""

import gymnasium
import numpy as np
import pytest

from must.envs.normalise import NORMALISERS

REWARDS = np.concatenate([np.random.default_rng(0).gamma(2, 3, 400), np.zeros(50), [1e4, -3.0]])


class Given(gymnasium.Env):
    """An environment whose rewards are given."""

    observation_space = action_space = gymnasium.spaces.Box(-1, 1, (1,))

    def __init__(self):
        self.rewards = iter(REWARDS)

    def reset(self, *, seed=None, options=None):
        return np.zeros(1), {}

    def step(self, action):
        return np.zeros(1), next(self.rewards), False, False, {}


def test_the_returns_are_those_of_gymnasium():
    env = gymnasium.wrappers.NormalizeReward(Given())
    env.reset()
    theirs = [float(env.step(np.zeros(1))[1]) for _ in REWARDS]
    normalise = NORMALISERS["gymnasium"]()
    np.testing.assert_allclose([normalise(reward) for reward in REWARDS], theirs, rtol=1e-12)


def test_the_exponential_estimate_weighs_each_reward_once():
    shares = 0.001 * 0.999 ** np.arange(len(REWARDS))
    normalise = NORMALISERS["exponential"]()
    means = [np.sum(REWARDS[: n + 1][::-1] * shares[: n + 1]) for n in range(len(REWARDS))]
    squares = (REWARDS - means) ** 2
    for n, reward in enumerate(REWARDS):
        variance = 0.999 ** (n + 1) + np.sum(squares[: n + 1][::-1] * shares[: n + 1])
        assert normalise(reward) == pytest.approx(reward / np.sqrt(variance), rel=1e-7)


@pytest.mark.parametrize("name", NORMALISERS)
def test_it_goes_on_from_its_state(name):
    first, second = NORMALISERS[name](), NORMALISERS[name]()
    for reward in REWARDS[:100]:
        first(reward)
    second.restore(list(first.state))
    assert [first(reward) for reward in REWARDS[100:]] == [second(reward) for reward in REWARDS[100:]]


def test_rewards_are_left_alone_by_default():
    normalise = NORMALISERS[None]()
    assert [normalise(reward) for reward in REWARDS] == list(REWARDS)
