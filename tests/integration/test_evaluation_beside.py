"""Evaluation beside training leaves the bytes that evaluation in between leaves, wherever the run is interrupted."""

import os
import signal
from itertools import count

import pytest

from must.algorithms import make_agent
from must.collect import BackgroundEvaluation, Collector, is_on
from must.config import identity
from must.errors import ConfigError, WorkerError
from must.training import train
from tests.support.agents import CPU
from tests.support.faults import EVERY_EPOCH, Run, kill
from tests.support.helpers import small_config
from tests.support.local_collector import LocalCollector
from tests.support.processes import contents

BESIDE = {"evaluation": {"beside": True, "interval": 2, "final_episodes": 2}}
APART = {"evaluation": {"beside": False, "interval": 2, "final_episodes": 2}}
SIZES = {"training": {"epoch_frames": 15, "epochs": 5}, "sac": {"buffer_size": 180}}


@pytest.fixture
def in_this_process(monkeypatch) -> None:
    """Collect and evaluate without worker processes."""
    monkeypatch.setattr("must.training.run.Collector", LocalCollector)
    monkeypatch.setattr("must.collect.background.Collector", LocalCollector)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict[str, bytes]:
    """What a run leaves that waits for each of its evaluations."""
    out = tmp_path_factory.mktemp("apart")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("must.training.run.Collector", LocalCollector)
        assert train(small_config(**SIZES, **APART), out)
    return contents(out)


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("ready", [True, False], ids=["taken in at once", "in flight as long as can be"])
def test_the_bytes_are_those_of_evaluation_in_between(ready, undisturbed, tmp_path, monkeypatch):
    monkeypatch.setattr(BackgroundEvaluation, "ready", lambda self: ready and self.running)
    assert train(small_config(**SIZES, **BESIDE), tmp_path)
    assert contents(tmp_path) == undisturbed


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
def test_with_an_evaluation_in_flight_at_every_interruption(undisturbed, tmp_path, monkeypatch):
    """In each epoch once, by a real signal; some starts go on without evaluating beside."""
    monkeypatch.setattr(BackgroundEvaluation, "ready", lambda _: False)
    collect, calls = LocalCollector.collect, count(1)

    def disturbed(*arguments):
        if next(calls) % 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return collect(*arguments)

    monkeypatch.setattr(LocalCollector, "collect", disturbed)
    started = 1
    while not train(small_config(**SIZES, **(APART if started % 4 == 0 else BESIDE)), tmp_path):
        started += 1
    assert started > 5
    assert contents(tmp_path) == undisturbed


@pytest.mark.slow
def test_a_killed_run_evaluates_again_what_was_in_flight(undisturbed, tmp_path):
    run = Run(tmp_path, *EVERY_EPOCH, **SIZES, **BESIDE)
    kill(run.start(epochs=3))
    assert run.finish() == undisturbed


@pytest.mark.parametrize(("number", "cause"), [(signal.SIGKILL, "killed by signal 9"), (signal.SIGSTOP, "not answer")])
def test_a_worker_that_dies_or_hangs_is_an_error(number, cause):
    config = small_config(env={"n_tasks": 1}, training={"worker_timeout_minutes": 0.005})
    with BackgroundEvaluation(config) as background:
        background._collector = Collector(config)
        os.kill(background._collector._workers[0].process.pid, number)
        policy = make_agent(config, CPU).numpy_policy()

        def evaluate() -> None:
            background.begin(policy, episodes=1, horizon=None)
            while not background.ready():
                pass
            background.result()

        with pytest.raises(WorkerError, match=cause):
            evaluate()


def test_where_it_is_on(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert not is_on(small_config(), "cpu")
    assert is_on(small_config(), "cuda")
    assert not is_on(small_config(logging={"tensorboard": True}), "cuda")
    assert is_on(small_config(**BESIDE), "cpu")
    assert not is_on(small_config(**APART), "cuda")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert not is_on(small_config(), "cuda")


def test_it_is_no_part_of_what_a_run_is():
    assert identity(small_config(**APART)) == identity(small_config(**BESIDE))


def test_live_logs_do_not_take_rows_out_of_order():
    with pytest.raises(ConfigError, match=r"evaluation\.beside"):
        is_on(small_config(logging={"tensorboard": True}, **BESIDE), "cpu")
