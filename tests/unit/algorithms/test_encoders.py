"""The trajectory encoders: means over the stored window, gathered gradients, and the loss of an auto-encoder."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from must.algorithms import make_agent
from must.config import GeneratorConfig
from must.methods.must.encoder import TrajectoryDecoder
from must.methods.must.encoders import Encoders
from must.types import OBS_DIM, Trajectories
from tests.support.agents import CPU, moved, parameters
from tests.support.helpers import random_trajectories, small_config


def encoders(n_tasks: int = 3, **settings) -> Encoders:
    torch.manual_seed(0)
    made = Encoders(2, n_tasks, GeneratorConfig(**{"hidden_size": 8, "lr": 1e-2} | settings))
    made.make_optimizers()
    return made


def swinging(n_each: int = 3, steps: int = 30, seed: int = 0) -> Trajectories:
    """Return episodes of three tasks whose observations swing at a speed of the task's own."""
    rng, found = np.random.default_rng(seed), []
    for task in range(3):
        for _ in range(n_each):
            phase = rng.uniform(0, 2 * np.pi, OBS_DIM)
            found.append(np.sin((task + 1) * 0.2 * np.arange(steps)[:, None] + phase))
            found[-1][:, 30:] = 0.7  # as goals, and the places of objects that a task has not
    return Trajectories(np.array(found, np.float32), np.repeat(np.arange(3), n_each))


def test_a_tasks_encoding_is_the_mean_over_its_episodes_however_many_it_has():
    made, episodes = encoders(), random_trajectories(5, 12).observations
    made.read(Trajectories(episodes, np.array([0, 0, 0, 1, 2])), CPU)
    for number, encodings in enumerate(made.encodings):
        each = made.encoders[number](torch.from_numpy(episodes))
        expected = torch.stack((each[:3].mean(0), each[3], each[4]))
        torch.testing.assert_close(encodings, expected)
    made.read(None, CPU)
    assert made.encodings is None


def test_gathered_gradients_are_those_of_the_sum_of_all_steps():
    made = encoders()
    made.read(random_trajectories(3, 12, of_each=2), CPU)
    directions = torch.randn(4, 3, 8)
    for direction in directions:
        (made.encodings[0] * direction).sum().backward()
    made.spread_gradients()
    found = [parameter.grad for parameter in made.encoders[0].parameters()]
    expected = torch.autograd.grad((made.encode(0) * directions.sum(0)).sum(), list(made.encoders[0].parameters()))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)
    assert all(parameter.grad is None for parameter in made.encoders[1].parameters()), "nothing used the second one's"


def test_the_loss_is_the_negative_evidence_lower_bound():
    torch.manual_seed(0)
    decoder = TrajectoryDecoder(5, 4)
    trajectories, encodings, noise = torch.randn(3, 7, 5), torch.randn(3, 4), torch.randn(3, 4)
    trajectories[..., 2] = 1.5  # never changes: there is nothing to predict
    spread = (0.5 * decoder.log_variance(encodings)).exp()
    drawn = encodings + spread * noise
    now, change = trajectories[:, :-1], trajectories.diff(dim=1)
    predicted = decoder.predict(torch.cat((now, drawn[:, None].expand(-1, 6, -1)), 2))
    others = [0, 1, 3, 4]
    error = (predicted - change / change.square().mean((0, 1)).sqrt())[..., others].square().mean()
    divergence = kl_divergence(Normal(encodings, spread), Normal(0, 1)).mean()
    torch.testing.assert_close(decoder(trajectories, encodings, noise, 0.3), error + 0.3 * divergence)
    still = torch.ones(3, 7, 5)
    assert decoder(still, encodings, noise, 0.3).isfinite()


def test_training_on_it_predicts_better_and_tells_the_tasks_apart():
    made, episodes, rng = encoders(encoder_loss="vae"), swinging(), torch.Generator().manual_seed(0)

    def apart() -> float:
        """Compare distances between tasks with those within them, in new episodes."""
        fresh = swinging(seed=1)
        with torch.no_grad():
            encoded = made.encoders[0](torch.from_numpy(fresh.observations))
        distances, same = torch.cdist(encoded, encoded), torch.from_numpy(fresh.tasks[:, None] == fresh.tasks)
        return float(distances[~same].mean() / distances[same & ~torch.eye(9, dtype=torch.bool)].mean())

    before = apart()
    losses = [made.reconstruct(episodes, rng, CPU) for _ in range(150)]
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])
    assert apart() > 1.1 * before


def test_one_episode_of_each_task_is_drawn_and_the_same_seed_draws_the_same():
    seen = []

    class Spy(torch.nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, observations):
            seen.append(observations[:, 0, 0].tolist())
            return self.inner(observations)

    made = encoders(encoder_loss="vae")
    made.encoders = torch.nn.ModuleList(Spy(encoder) for encoder in made.encoders)
    values = np.arange(6, dtype=np.float32)
    episodes = Trajectories(np.tile(values[:, None, None], (1, 4, OBS_DIM)), np.array([0, 0, 0, 1, 1, 2]))
    rng = torch.Generator().manual_seed(0)
    for _ in range(40):
        made.reconstruct(episodes, rng, CPU)
    drawn = [set(column) for column in zip(*seen, strict=True)]
    assert drawn == [{0, 1, 2}, {3, 4}, {5}]


@pytest.mark.parametrize("loss", ["none", "vae"])
def test_encoders_move_between_updates_only_with_a_loss_of_their_own_and_until_the_freeze(loss):
    agent = make_agent(
        small_config(generator={"encoder_loss": loss}, training={"epochs": 8}, masks={"update_interval": 6}), CPU
    )
    agent.masks.publish_initial(random_trajectories(3))
    learner = agent.masks.mask_learner
    generators = parameters(learner.generators)
    before = parameters(learner.encoders)
    saved = agent.snapshot(learning_masks=False)["mask_learner"]
    kept = copy.deepcopy(saved)
    fields = agent.masks.begin_learning(1, lambda: random_trajectories(3, of_each=2))
    assert moved(before, learner.encoders) == (loss == "vae")
    assert set(fields) == set(agent.columns)
    assert bool(fields) == (loss == "vae")
    assert not moved(generators, learner.generators)
    assert all(torch.equal(kept[name], saved[name]) for name in kept), "a snapshot stays as it was"
    before = parameters(learner.encoders)
    assert agent.masks.begin_learning(7, lambda: random_trajectories(3)) == {}
    assert not moved(before, learner.encoders)
