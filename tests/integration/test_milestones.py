"""Policies that are kept on the way: the same bytes with and without interruptions, and used like a run's own."""

import os
import signal

import numpy as np
import pytest
import torch

from must.algorithms import make_agent
from must.collect import Collector
from must.config import METHODS, dump, identity, parse_recorded
from must.config.yaml_text import parse_yaml
from must.errors import RunDirectoryError
from must.evaluation import evaluate, load_policy
from must.policy_files import read_policy, to_safetensors
from must.training import train
from must.training.run import kept_by
from tests.support.helpers import small_config

SHARES = [0.25, 0.5, 1.0]


def kept(directory):
    return {str(path.relative_to(directory)): path.read_bytes() for path in (directory / "milestones").glob("*/*")}


@pytest.mark.slow
def test_interrupted_runs_keep_the_same_policies(tmp_path, monkeypatch):
    config = small_config(training={"epochs": 8, "keep_policies": SHARES})
    assert train(config, tmp_path / "undisturbed")
    collect, out, left = Collector.collect, tmp_path / "disturbed", [2, 5, 1]

    def disturbed(*arguments):
        left[0] -= 1
        if left[0] == 0 and len(left) > 1:
            del left[0]
            os.kill(os.getpid(), signal.SIGTERM)
        return collect(*arguments)

    monkeypatch.setattr(Collector, "collect", disturbed)
    assert not train(config, out)
    assert not (out / "milestones").exists()
    assert not train(config, out)  # after the second milestone
    (out / "milestones" / "0.5" / "model.safetensors").unlink()  # as if a crash had taken it: the checkpoint has it
    while not train(config, out):
        pass
    assert sorted(kept(out)) == sorted(f"milestones/{n}/{f}" for n in ("0.25", "0.5", "1") for f in
                                       ("config.yaml", "model.safetensors"))  # fmt: skip
    assert kept(out) == kept(tmp_path / "undisturbed")
    for name in ("final.pt", "eval.csv", "train.csv"):
        assert (out / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()
    # The last is the trained policy, the others are others.
    observations = np.random.default_rng(0).normal(size=(3, 39)).astype(np.float32)
    actions = {place: load_policy(out / place)[1].act(observations, None) for place in
               (".", "milestones/1", "milestones/0.25")}  # fmt: skip
    assert np.array_equal(actions["."], actions["milestones/1"])
    assert not np.array_equal(actions["."], actions["milestones/0.25"])
    _, own = evaluate(out, 1, 1)
    _, shared = evaluate(out / "milestones" / "1", 1, 1)
    assert np.array_equal(own.returns, shared.returns)


def test_policies_are_kept_at_their_epochs_and_what_is_past_is_said(tmp_path, caplog):
    config = small_config(training={"epochs": 6, "keep_policies": [0.1, 0.5, 1]})
    agent = make_agent(config, torch.device("cpu"))
    keep = kept_by(config, tmp_path, agent, 3)
    assert [message for message in caplog.messages if "0.1 is past" in message]
    for epoch in range(3, 8):
        keep(epoch)
        names = {path.name for path in (tmp_path / "milestones").glob("*")}
        assert names == {"0.5", "1"} if epoch == 7 else names <= {"0.5"}
        assert (epoch >= 4) == ("0.5" in names)
    before = kept(tmp_path)
    kept_by(config, tmp_path, agent, 4)(4)  # a run that goes on from there
    assert kept(tmp_path) == before


def test_a_damaged_one_is_told_from_a_sound_one(tmp_path):
    config = small_config()
    (tmp_path / "config.yaml").write_text(dump(config))
    with pytest.raises(RunDirectoryError, match=r"holds no final\.pt"):
        load_policy(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 100)
    with pytest.raises(RunDirectoryError, match=r"model\.safetensors: is damaged"):
        load_policy(tmp_path)
    (tmp_path / "final.pt").write_text("no policy")
    with pytest.raises(RunDirectoryError, match=r"final\.pt: is damaged \(UnpicklingError\); delete"):
        load_policy(tmp_path)


def test_runs_of_before_are_the_same_runs():
    old = small_config()
    assert "keep_policies" not in dump(old)
    new = small_config(training={"keep_policies": SHARES})
    assert identity(old) == identity(new)
    assert parse_recorded(parse_yaml(dump(new), "")).training.keep_policies == SHARES


@pytest.mark.parametrize("method", METHODS)
def test_safetensors_hold_all_of_every_method(method, tmp_path):
    agent = make_agent(small_config(method=method), torch.device("cpu"))
    state = agent.final_state()
    content = to_safetensors(state)
    assert content == to_safetensors(state)
    (tmp_path / "model.safetensors").write_bytes(content)
    found = read_policy(tmp_path / "model.safetensors")
    assert found["mask_version"] == state["mask_version"]
    assert len(found["policy_masks"]) == len(state["policy_masks"])
    other = make_agent(small_config(method=method, training={"seed": 1}), torch.device("cpu"))
    other.load_policy(found)
    observations = np.random.default_rng(0).normal(size=(3, 39)).astype(np.float32)
    assert np.array_equal(other.numpy_policy().act(observations, None), agent.numpy_policy().act(observations, None))
