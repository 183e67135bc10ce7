"""The public research code has fifteen defects that make its results depend on accidents. A test for each.

The numbers are those of the list in docs/method.md.
"""

import math
import multiprocessing

import numpy as np
import pytest
import torch

from must.algorithms import Agent, make_agent
from must.buffers import TrajectoryStore
from must.collect import Collector
from must.config import parse_experiment
from must.errors import ConfigError, NumericalError
from must.masks import kept, top_k_mask
from must.methods.must.encoder import TrajectoryEncoder
from must.types import Episode
from tests.support.agents import KINDS, make, moved, parameters
from tests.support.helpers import SMALL, merged, random_batch, random_trajectories, small_config

MASKED = [kind for kind in KINDS if kind != "dense"]


@pytest.mark.parametrize("kind", KINDS)
def test_01_every_optimizer_moves_its_own_parameters_and_only_them(kind):
    agent = make(**KINDS[kind])
    owned = [id(p) for opt in agent.optimizers.values() for group in opt.param_groups for p in group["params"]]
    assert len(owned) == len(set(owned))
    before = [parameter.detach().clone() for parameter in agent.critic.parameters()]
    policy = parameters(agent.policy)
    agent.gradient_step(random_batch(3, 8))
    for member in (0, 1):  # both Q networks move, in an ordinary epoch
        assert any(
            not torch.equal(a[member], b[member]) for a, b in zip(before, agent.critic.parameters(), strict=True)
        )
    assert moved(policy, agent.policy)
    policy, critic = parameters(agent.policy), parameters(agent.critic)
    agent.critic.flat.grad = torch.ones_like(agent.critic.flat)
    agent.optimizers["critic"].step()
    assert not moved(policy, agent.policy)
    assert moved(critic, agent.critic)


@pytest.mark.parametrize("sl", [0, 1])
@pytest.mark.parametrize("trajectory_info", [0, 1])
@pytest.mark.parametrize("kind", MASKED)
def test_02_generators_move_in_update_epochs_and_are_bit_identical_in_others(kind, trajectory_info, sl):
    flags = {"generator": {"use_sl_loss": sl, "use_trajectory_info": trajectory_info}}
    agent = make(**merged(KINDS[kind], flags))
    learner, batch = agent.masks.mask_learner, random_batch(3, 8)
    before = parameters(learner)
    for _ in range(3):
        agent.gradient_step(batch)
    assert not moved(before, learner)
    agent.masks.begin_mask_update(random_trajectories(3) if sl or trajectory_info else None)
    for generator in learner.generators:
        assert moved(parameters(generator), generator) is False
    after_supervised = [parameters(generator) for generator in learner.generators]
    agent.gradient_step(batch, learn_masks=True)
    for generator, values in zip(learner.generators, after_supervised, strict=True):
        assert moved(values, generator), "the SAC losses' gradient reaches every generator"
    encoders = [parameters(encoder) for encoder in learner.encoders.encoders]
    agent.masks.end_mask_update()
    for encoder, values in zip(learner.encoders.encoders, encoders, strict=True):
        assert moved(values, encoder) == bool(trajectory_info)
    before = parameters(learner)
    agent.gradient_step(batch)
    assert not moved(before, learner)


FULL_SIZE = {
    "env": {"benchmark": "MT10", "tasks": None, "horizon": 150},
    "network": {"hidden_sizes": [400, 400, 400]},
    "masks": {"granularity": "weight", "gumbel_scale": 0.1},
    "generator": {"head": "dense", "hidden_size": 256, "sl_steps": 1},
    "sac": {"buffer_size": 10_000},
    "training": {"epoch_frames": 150},
}


@pytest.mark.parametrize("sl", [0, 1])
@pytest.mark.parametrize("trajectory_info", [0, 1])
def test_03_the_supervised_loss_has_a_gradient_at_full_size(trajectory_info, sl):
    flags = {"generator": {"use_sl_loss": sl, "use_trajectory_info": trajectory_info}}
    agent = make_agent(parse_experiment(merged(merged(SMALL, FULL_SIZE), flags)).run_config(), torch.device("cpu"))
    learner = agent.masks.mask_learner
    assert sum(p.numel() for p in learner.generators[0].parameters()) > 80e6
    watched = [learner.generators[0].head.weight, learner.generators[0].trunk.layer.weight]
    before = [weight.detach().clone() for weight in watched]
    agent.masks.publish_initial(random_trajectories(10, 151))
    losses = agent.masks.begin_mask_update(random_trajectories(10, 151) if sl or trajectory_info else None)
    for weight, old in zip(watched, before, strict=True):
        changed = float((weight.detach() != old).float().mean())
        # ReLU cuts the gradient of about half of the trunk's one-hot weights
        assert changed > 0.3 if sl else changed == 0
    assert len(losses) == 3 * sl
    assert all(loss > 1e-6 for loss in losses.values())


def test_04_gradients_are_clipped_after_backward():
    def norm_of_step(scale: float) -> float:
        agent = make(env={"reward_scale": scale}, sac={"max_grad_norm": 1e-3})
        agent.optimizers["critic"] = torch.optim.SGD(agent.critic.parameters(), lr=1.0)
        before = parameters(agent.critic)
        agent.gradient_step(random_batch(3, 8))
        steps = [(a - b)[0] for a, b in zip(before, agent.critic.parameters(), strict=True)]
        return math.sqrt(sum(float(step.square().sum()) for step in steps))

    # Clipped to 1e-3, whatever the size of the gradient; a clip before backward would clip nothing.
    assert norm_of_step(1.0) == pytest.approx(1e-3, rel=1e-2)
    assert norm_of_step(100.0) == pytest.approx(1e-3, rel=1e-2)


def test_05_each_generator_has_an_optimizer_of_its_own():
    learner = make().masks.mask_learner
    owners = [{id(p) for group in opt.param_groups for p in group["params"]} for opt in learner.optimizers]
    assert len(owners) == 3
    assert sum(map(len, owners)) == len(set.union(*owners))
    for owner, generator, encoder in zip(owners, learner.generators, learner.encoders.encoders, strict=True):
        assert owner == {id(p) for p in [*generator.parameters(), *encoder.parameters()]}


def test_06_a_tasks_encoding_does_not_change_with_another_tasks_trajectory():
    torch.manual_seed(0)
    encoder = TrajectoryEncoder(39, 8)
    trajectories = torch.from_numpy(random_trajectories(3).observations)
    changed = trajectories.clone()
    changed[2] = 0
    assert torch.equal(encoder(trajectories)[:2], encoder(changed)[:2])
    assert torch.allclose(encoder(trajectories)[:1], encoder(trajectories[:1]), atol=1e-6)


def test_07_collection_evaluation_and_learning_use_one_mask_version(monkeypatch, tmp_path):
    from must.training import train

    acting, learning = [], []
    collect, evaluate, step = Collector.collect, Collector.evaluate, Agent.gradient_step

    def seen_step(agent, *arguments, **options):
        learning.append((agent.mask_set.version, acting[-1], len(acting)))
        return step(agent, *arguments, **options)

    monkeypatch.setattr(Collector, "collect", lambda s, p, n: (acting.append(p.version), collect(s, p, n))[1])
    monkeypatch.setattr(Collector, "evaluate", lambda s, p, *n: (acting.append(p.version), evaluate(s, p, *n))[1])
    monkeypatch.setattr(Agent, "gradient_step", seen_step)
    longer = {"training": {"epochs": 5}, "masks": {"freeze_after": 1}, "evaluation": {"interval": 100}}
    train(small_config(**longer), tmp_path / "run")
    for learner, actor, number in learning:  # a renewal is learned in its own epoch, and acts from the next one on
        assert learner == actor or learner == acting[number] == actor + 1
    assert sorted(set(acting)) == [0, 1, 2, 3]
    agent = make()
    first = agent.numpy_policy()
    agent.masks.begin_mask_update(random_trajectories(3))
    agent.gradient_step(random_batch(3, 8), learn_masks=True)
    agent.masks.end_mask_update()
    assert agent.numpy_policy().version == first.version + 1


def test_08_evaluating_twice_gives_the_same_result():
    config = small_config(env={"n_tasks": 2, "horizon": 30}, evaluation={"episodes": 3})
    agent = make(2, env={"horizon": 30})
    learner = agent.masks.mask_learner
    learner.read(random_trajectories(2))
    for a, b in zip(learner.choose()[0], learner.choose()[0], strict=True):
        assert torch.equal(a, b)
    with Collector(config) as collector:
        first = collector.evaluate(agent.numpy_policy(), 3)
        collector.collect(agent.numpy_policy(), 7)
        second = collector.evaluate(agent.numpy_policy(), 3)
    assert first.returns.tolist() == second.returns.tolist()
    assert len(set(first.returns.tolist())) == 2


def test_09_at_least_one_element_is_kept_and_the_number_is_exact():
    for n in range(1, 60):
        for ratio in (0.0, 0.1, 0.37, 0.5, 0.9, 0.95, 0.999):
            k = kept(n, ratio)
            assert k == max(1, round((1 - ratio) * n))
            assert float(top_k_mask(torch.rand(n), k).sum()) == k


def test_10_collection_is_deterministic_and_trajectories_are_whole():
    config = small_config(env={"horizon": 15, "goals": "random"}, training={"epoch_frames": 10})
    episodes = {}
    for n_workers in (1, 2, 3):
        with Collector(
            config.model_copy(update={"training": config.training.model_copy(update={"n_workers": n_workers})})
        ) as collector:
            policy = make().numpy_policy()
            parts = [collector.collect(policy, 10) for _ in range(3)]
        for task in range(3):
            steps = np.concatenate([part[task].observations for part in parts])
            whole = [episode for part in parts for episode in part[task].episodes]
            assert len(whole) == 2
            for number, episode in enumerate(whole):
                assert episode.observations.shape == (16, 39)
                assert np.array_equal(episode.observations[:15], steps[15 * number : 15 * number + 15])
            # each episode starts with an observation of its own: another goal
            assert not np.array_equal(whole[0].observations[0], whole[1].observations[0])
            content = steps.tobytes() + b"".join(episode.observations.tobytes() for episode in whole)
            assert episodes.setdefault(task, content) == content


def test_11_a_nan_in_a_worker_is_one_clear_error_and_nothing_hangs():
    policy = make().numpy_policy()
    for bias in policy.biases:
        bias[...] = np.nan
    with Collector(small_config(training={"n_workers": 2})) as collector:
        processes = [worker.process for worker in collector._workers]
        with pytest.raises(NumericalError, match=r"not finite"):
            collector.collect(policy, 5)
    assert not any(process.is_alive() for process in processes)
    assert not multiprocessing.active_children()


# 12, exact resume: tests/integration/test_resume.py


def test_13_unknown_or_unused_options_are_errors():
    for unknown in ({"masks": {"sparsity": 0.5}}, {"generator": {"rank": 4}}, {"generator": {"head": "dense"}}):
        with pytest.raises(ConfigError):
            small_config(**unknown)


def test_14_one_task_alone_and_any_batch_size_work():
    for kind in KINDS:
        agent = make(1, **KINDS[kind])
        for rows in (1, 5):
            assert agent.gradient_step(random_batch(1, rows)).isfinite().all()


# 15, no secret is in the sources: tests/house/test_house.py


def test_trajectories_enter_the_store_as_the_method_says():
    store = TrajectoryStore(2, 3)
    episode = lambda value, success: Episode(np.full((2, 39), value, np.float32), success)  # noqa: E731
    rng = np.random.default_rng(0)

    def drawn(times: int) -> set[float]:
        return {float(store.draw(rng).observations[0, 0, 0]) for _ in range(times)}

    def window() -> list[float]:
        found = store.window()
        return found.observations[found.tasks == 0, 0, 0].tolist()

    store.add(0, episode(1, False))
    assert store.window() is None, "a task has no episode yet"
    assert store.draw(rng) is None
    store.add(1, episode(9, False))
    store.add(0, episode(2, False))
    assert (drawn(20), window()) == ({2}, [1, 2])
    store.add(0, episode(3, True))
    store.add(0, episode(4, False))
    assert (drawn(20), window()) == ({3}, [3])
    for value in (5, 6, 7):
        store.add(0, episode(value, True))
    assert (drawn(50), window()) == ({5, 6, 7}, [5, 6, 7])
    assert store.window().tasks.tolist() == [0, 0, 0, 1]
