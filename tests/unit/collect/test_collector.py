import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from must.collect import Collector
from must.errors import WorkerError
from must.training.state import pack_runners, unpack_runners
from tests.support.agents import make
from tests.support.helpers import small_config


def everything(n_workers: int) -> list[bytes]:
    config = small_config(env={"horizon": 12}, training={"n_workers": n_workers})
    policy = make(env={"horizon": 12}).numpy_policy()
    with Collector(config) as collector:
        collected = collector.collect(policy, 7) + collector.collect(policy, 7)
        result = collector.evaluate(policy, 2)
        states = collector.state()
    content = [part.observations.tobytes() + part.rewards.tobytes() for part in collected]
    return [
        *content,
        result.returns.tobytes(),
        *(str(state.rng).encode() + state.actions.tobytes() for state in states),
    ]


def test_the_result_does_not_depend_on_the_number_of_workers():
    first = everything(1)
    assert first == everything(2)
    assert first == everything(3)


def test_uniform_actions_fill_the_range_and_are_the_same_for_any_number_of_workers():
    taken = []
    for n_workers in (1, 2):
        with Collector(small_config(training={"n_workers": n_workers})) as collector:
            taken.append(np.stack([part.actions for part in collector.collect(None, 200)]))
    np.testing.assert_array_equal(*taken)
    assert np.abs(taken[0]).max() <= 1
    np.testing.assert_allclose(taken[0].mean((0, 1)), 0, atol=0.1)
    np.testing.assert_allclose(taken[0].var((0, 1)), 1 / 3, atol=0.05)
    assert not np.array_equal(taken[0][0], taken[0][1])


@pytest.mark.parametrize("normalisation", [None, "exponential", "gymnasium"])
def test_collection_goes_on_exactly_from_a_saved_state_in_other_processes(normalisation):
    config = small_config(env={"horizon": 12, "reward_normalisation": normalisation})
    policy = make(env={"horizon": 12}).numpy_policy()
    with Collector(config) as collector:
        collector.collect(policy, 7)
        states = collector.state()
        expected = collector.collect(policy, 20)
    other = small_config(env={"horizon": 12, "reward_normalisation": normalisation}, training={"n_workers": 2})
    with Collector(other) as collector:
        collector.restore(unpack_runners(pack_runners(states)))
        again = collector.collect(policy, 20)
    for before, after in zip(expected, again, strict=True):
        assert before.observations.tobytes() == after.observations.tobytes()
        assert before.rewards.tobytes() == after.rewards.tobytes()
        assert len(before.episodes) == len(after.episodes) == 2
        for first, second in zip(before.episodes, after.episodes, strict=True):
            assert first.observations.tobytes() == second.observations.tobytes()
            assert first.success == second.success


@pytest.mark.parametrize("goals", ["fixed", "random"])
def test_goals_follow_the_setting_and_the_evaluation_has_its_own(goals):
    config = small_config(env={"n_tasks": 1, "tasks": ["push-v3"], "horizon": 2, "goals": goals})
    policy = make(1).numpy_policy()
    with Collector(config) as collector:
        parts = [collector.collect(policy, 2)[0] for _ in range(6)]
    firsts = {part.observations[0].tobytes() for part in parts}
    assert len(firsts) == 1 if goals == "fixed" else len(firsts) > 3


def test_a_killed_worker_is_a_clear_error_and_leaves_no_process():
    with Collector(small_config(training={"n_workers": 2})) as collector:
        processes = [worker.process for worker in collector._workers]
        os.kill(processes[1].pid, signal.SIGKILL)
        with pytest.raises(WorkerError, match=r"drawer-close-v3 was killed by signal 9"):
            collector.collect(make().numpy_policy(), 5)
    assert not any(process.is_alive() for process in processes)


def test_a_hanging_worker_is_a_clear_error_and_leaves_no_process():
    with Collector(small_config(training={"worker_timeout_minutes": 0.2})) as collector:
        process = collector._workers[0].process
        collector._timeout = 0.5
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(WorkerError, match=r"has not answered"):
            collector.collect(make().numpy_policy(), 5)
    assert not process.is_alive()


def test_workers_ignore_the_signals_that_ask_the_run_to_stop():
    with Collector(small_config()) as collector:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            os.kill(collector._workers[0].process.pid, number)
        time.sleep(0.1)
        assert len(collector.collect(make().numpy_policy(), 2)) == 3


def test_success_and_return_of_an_evaluation_are_those_of_the_episodes():
    """An evaluation by hand, with Meta-World itself."""
    import metaworld

    from must.envs import TaskGoals
    from must.seeding import Stream, numpy_rng

    config = small_config(env={"tasks": ["handle-press-v3"], "horizon": 20})
    policy = make(1).numpy_policy()
    with Collector(config) as collector:
        result = collector.evaluate(policy, 2)
    goals = TaskGoals("handle-press-v3", 0)
    env = metaworld.ALL_V3_ENVIRONMENTS["handle-press-v3"](reward_function_version="v2")
    returns = []
    for goal in numpy_rng(0, Stream.EVALUATION, "handle-press-v3").permutation(50)[:2]:
        env.set_task(goals.tasks[goal])
        observation, _ = env.reset()
        returns.append(0.0)
        for _ in range(20):
            observation, reward, *_ = env.step(policy.act(observation.astype(np.float32)[None], None)[0])
            returns[-1] += reward
    assert result.returns[0] == pytest.approx(np.mean(returns))


def test_learners_take_no_simulator():
    """It is half a second of every start. Asked in a process of its own, since this one has it."""
    code = "import sys, must.training.run; sys.exit('metaworld' in sys.modules or 'mujoco' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
