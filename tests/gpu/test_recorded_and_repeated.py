"""On a GPU: steps that are recorded as graphs, and whole runs, give the same bytes time after time.

With `make test` the device is the CPU, whose twin of a graph is held against steps that are taken one by one.
"""

import os
import signal

import pytest
import torch

from must.algorithms.recording import CudaRecording
from must.collect import Collector
from must.training import train
from must.training.together import FINISHED, Job, train_together
from tests.support.agents import assert_same
from tests.support.helpers import small_config
from tests.support.learner import Learner, assert_close
from tests.support.local_collector import LocalCollector
from tests.support.methods import KINDS
from tests.support.processes import contents

RECORDED = [kind for kind in KINDS if "normalised" not in kind]
METHODS = ("must", "mt_sac", "pcgrad")
SIZES = {"training": {"epochs": 6, "epoch_frames": 15, "opt_times": 5}, "sac": {"buffer_size": 180}}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch, device):
    """Collect without workers. And where the device is the CPU, look at no value on the way, as on a GPU."""
    for place in ("must.training.run.Collector", "must.collect.background.Collector"):
        monkeypatch.setattr(place, LocalCollector)
    if device.type == "cpu":
        monkeypatch.setattr("must.masks.topk.on_host", lambda _: False)


# The CPU has no graphs: tests/unit/algorithms/test_recording.py asks the same of their twin.
@pytest.mark.parametrize("kind", RECORDED)
def with_graphs(kind, device):
    plain, recorded = Learner(kind, device), Learner(kind, device, CudaRecording)
    plain.agent.in_place = True  # the same operations, so that every bit must be the same
    assert_close(recorded.epochs(range(1, 5)), plain.epochs(range(1, 5)), rtol=0)
    assert_same(recorded.agent.snapshot(), plain.agent.snapshot())
    assert recorded.steps.recorded >= 1


if os.environ.get("MUST_TEST_DEVICE", "cpu") != "cpu":
    test_recorded_steps_are_those_taken_one_by_one = with_graphs


def settings(method: str, device: torch.device, **sections):
    training = {**SIZES["training"], "device": device.type, **sections}
    tasks = {"tasks": ["reach-v3", "push-v3"]}
    return small_config(method=method, env=tasks, training=training, sac=SIZES["sac"], evaluation={"beside": True})


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_run_leaves_the_same_bytes_again_and_interrupted(method, device, tmp_path, monkeypatch):
    config = settings(method, device)
    assert train(config, tmp_path / "first")
    assert train(config, tmp_path / "again")
    assert contents(tmp_path / "first") == contents(tmp_path / "again")
    collect, epochs = LocalCollector.collect, iter(range(1, 100))

    def disturbed(*arguments):
        if next(epochs) in (3, 6):
            os.kill(os.getpid(), signal.SIGTERM)
        return collect(*arguments)

    monkeypatch.setattr(LocalCollector, "collect", disturbed)
    assert [train(config, tmp_path / "interrupted") for _ in range(3)] == [False, False, True]
    assert contents(tmp_path / "first") == contents(tmp_path / "interrupted")


@pytest.mark.slow
def test_runs_that_share_the_device_leave_the_bytes_that_they_leave_alone(device, tmp_path, monkeypatch):
    """With workers: Meta-World's random numbers are those of its process."""
    monkeypatch.setattr("must.training.run.Collector", Collector)
    monkeypatch.setattr("must.collect.background.Collector", Collector)
    seeds = (1, 2) if device.type == "cuda" else (1,)
    configs = {f"{method} {seed}": settings(method, device, seed=seed) for method in METHODS[:2] for seed in seeds}

    def job(name: str) -> Job:
        return Job(name, lambda: configs[name], tmp_path / "together" / name, tmp_path / f"{name}.log")

    jobs = [job(name) for name in configs]
    assert train_together(jobs, slots=len(jobs), keep_old=False) == dict.fromkeys(configs, FINISHED)
    monkeypatch.setattr("must.training.run.Collector", LocalCollector)
    monkeypatch.setattr("must.collect.background.Collector", LocalCollector)
    for name, config in configs.items():
        assert train(config, tmp_path / name)
        assert contents(tmp_path / name) == contents(tmp_path / "together" / name)
