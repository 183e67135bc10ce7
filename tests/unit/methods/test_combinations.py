"""Parts of several methods in one agent: what they do together, and what makes no sense."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml

from must.algorithms import make_agent
from must.cli import main
from must.config import METHODS, dump, identity, load_sweep, parse_experiment
from must.errors import ConfigError
from must.masks import mask_tensors
from must.types import OBS_DIM
from tests.support.agents import CPU, assert_same
from tests.support.helpers import SMALL, merged, random_batch, random_trajectories, small_config
from tests.support.methods import settings

HEADS = {"network": {"architecture": "heads"}}


@pytest.mark.parametrize("rule", ["pcgrad", "cagrad"])
@pytest.mark.parametrize("architecture", ["shared", "heads"])
def test_one_backward_pass_finds_the_gradients_that_one_for_each_task_finds(rule, architecture, monkeypatch):
    chosen = {"network": {"architecture": architecture}, "sac": {"gradient_rule": rule}}
    fast, slow = (make_agent(small_config(**settings("mt_sac", **chosen)), CPU) for _ in range(2))
    for network in (slow.policy, slow.critic):
        monkeypatch.setattr(network, "task_copies", lambda: None)
    for seed in range(2):
        for agent in (fast, slow):
            agent.gradient_step(random_batch(3, 8, seed=seed))
    for network in ("policy", "critic"):
        ours, theirs = getattr(fast, network).flat, getattr(slow, network).flat
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize("granularity", ["neuron", "weight"])
def test_under_masks_a_task_has_its_own_head_and_nothing_else(granularity):
    """Against the dense network with what is pruned set to 0 by hand, of which the task's head is picked."""
    sections = merged(HEADS, {"masks": {"granularity": granularity}})
    agent = make_agent(small_config(**settings("static_sparse", **sections)), CPU)
    agent.masks.publish_initial(random_trajectories(3))
    inputs, kept = torch.randn(3, 5, OBS_DIM), mask_tensors(agent.mask_set.policy)
    found = agent.policy.task_parameters(agent.mask_set.policy).forward(inputs)[0]
    shapes, ratio = agent.policy.task_weight_shapes, agent.config.masks.pruning_ratio
    assert shapes[-1] == (9, 8)
    for task in range(3):
        hidden = torch.cat((inputs[task], torch.eye(3)[task].expand(5, -1)), dim=1)
        parameters = zip(agent.policy.weights, agent.policy.biases, shapes, strict=True)
        start = 0
        for layer, (weight, bias, shape) in enumerate(parameters):
            weight, bias = weight[0], bias[0]
            if layer == 2:
                weight, bias = weight[:, 8 * task : 8 * task + 8], bias[8 * task : 8 * task + 8]
            if granularity == "weight":
                count = shape[0] * shape[1]
                elements = kept[0][0, task, start : start + count]
                assert int(elements.sum()) == max(1, round((1 - ratio) * count))
                weight, start = weight * elements.view(shape), start + count
            hidden = hidden @ weight + bias
            if layer < 2:
                hidden = hidden.relu() * (kept[layer][0, task] if granularity == "neuron" else 1)
        torch.testing.assert_close(found[task], hidden, rtol=1e-4, atol=1e-6)


def test_magnitude_pruning_of_heads_leaves_a_task_as_much_as_masks_do():
    chosen = {"magnitude": {"networks": "both", "budget": "parameters"}, "masks": {"granularity": "weight"}}
    pruned = make_agent(small_config(**settings("magnitude", **merged(HEADS, chosen))), CPU).sizes()
    masked = make_agent(small_config(**settings("static_sparse", **merged(HEADS, {"masks": chosen["masks"]}))), CPU)
    sizes = masked.sizes()
    for name in ("policy_parameters_kept", "q_parameters_kept"):
        assert pruned[name] == sizes[name] < sizes[name.removesuffix("_kept")]


@pytest.mark.parametrize(
    ("method", "chosen", "same"),
    [
        ("mtmh_sac", {"network": {"architecture": "heads"}}, "mtmh_sac"),
        ("mt_sac", {"network": {"architecture": "heads"}}, "mtmh_sac"),
        ("mt_sac", {"sac": {"gradient_rule": "pcgrad"}}, "pcgrad"),
        ("cagrad", {"sac": {"gradient_rule": "pcgrad"}}, "pcgrad"),
        ("mt_sac", {"masks": {"source": "static"}}, "static_sparse"),
        ("must", {"masks": {"source": "none"}}, "mt_sac"),
    ],
)
def test_a_method_is_a_preset_of_choices(method, chosen, same):
    """Another method with this one's parts takes the same steps, bit for bit."""
    agents = make_agent(small_config(method=method, **chosen), CPU), make_agent(small_config(method=same), CPU)
    trajectories = random_trajectories(agents[0].n_tasks)
    for agent in agents:
        agent.masks.before_epoch(1, lambda: trajectories)
        for step in range(2):
            agent.gradient_step(random_batch(agent.n_tasks, 8, seed=step))
    assert_same(agents[0].snapshot(), agents[1].snapshot())


def test_choices_that_a_method_has_anyway_leave_its_runs_what_they_were():
    plain = small_config(method="pcgrad")
    for chosen in (
        {"network": {"architecture": "shared"}, "sac": {"gradient_rule": "pcgrad", "task_weighting": "equal"}},
        {"masks": {"source": "none"}},
    ):
        assert identity(small_config(method="pcgrad", **chosen)) == identity(plain)
    other = small_config(method="pcgrad", **HEADS)
    assert identity(other) != identity(plain)
    assert identity(parse_experiment(yaml.safe_load(dump(other))).run_config()) == identity(other)
    words = ("architecture", "task_weighting", "gradient_rule", "source")
    assert not any(f"{word}:" in dump(plain) for word in words)


@pytest.mark.parametrize(
    ("method", "chosen", "words"),
    [
        ("pcgrad", {"network.architecture": "separate"}, "tasks conflict only in parameters that tasks share; write"),
        ("must", {"network.architecture": "modular"}, "masks cut parts out of perceptrons; write"),
        ("soft_modularization", {"masks.source": "magnitude"}, "network.architecture: shared or heads"),
        ("equal_cost", {"masks.source": "static"}, "does not go with network.architecture: small"),
        ("single_task", {"sac.task_weighting": "famo"}, "tasks that share no parameters do not compete"),
        ("mt_sac", {"sac.task_weighting": "restarts"}, "network.architecture: composed"),
    ],
)
def test_what_makes_no_sense_is_an_error_that_says_why(method, chosen, words, tmp_path, capsys):
    path = tmp_path / "experiment.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    options = [part for key, value in chosen.items() for part in ("--set", f"{key}={value}")]
    out = tmp_path / "run"
    assert main(["train", "--config", str(path), "--out", str(out), "--method", method, *options]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1
    assert not out.exists()


def test_a_sweep_with_such_a_run_is_refused_before_any_is_trained(tmp_path):
    path = tmp_path / "experiment.yaml"
    sweep = {"methods": ["mt_sac", "must"], "seeds": [0], "grid": {"network.architecture": ["shared", "modular"]}}
    path.write_text(yaml.safe_dump(SMALL | {"sweep": sweep}))
    with pytest.raises(ConfigError, match=r"method~must/.*network_architecture~modular.*masks\.source: learned"):
        load_sweep(path)
    path.write_text(yaml.safe_dump(merged(SMALL, {"network": {"architecture": "modular"}}) | {"method": "pcgrad"}))
    load_sweep(path)


def test_choices_are_swept_named_and_trained_each_once():
    grid = {"network.architecture": ["shared", "heads"], "masks.source": [None, "static"]}
    sweep = {"methods": ["mt_sac", "must"], "seeds": [0], "pruning_ratios": [0, 0.5], "grid": grid}
    experiment = parse_experiment(SMALL | {"sweep": sweep})
    made = {
        spec.path: parse_experiment(SMALL | {"sweep": sweep}, experiment.overrides(spec)).run_config()
        for spec in experiment.runs()
    }
    assert len({identity(config) for config in made.values()}) == len(made)
    masks = {(path.split("/")[0], config.trained.part("masks.source").name) for path, config in made.items()}
    assert masks == {
        ("method~mt_sac", "none"),
        ("method~mt_sac", "static"),
        ("method~must", "learned"),
        ("method~must", "static"),
    }
    dense = [config for config in made.values() if config.is_multi_task_sac]
    assert sorted(config.trained.part("network.architecture").name for config in dense) == ["heads", "shared"]


def test_controls_are_made_of_the_same_parts(runs):
    grid = {"network.architecture": ["shared", "heads"]}
    swept = {"methods": ["must", "static_sparse", "mt_sac"], "pruning_ratios": [0.5], "update_intervals": [10]}
    _, results = runs.results_of(lambda *_: np.ones((2, 2)), sweep=swept | {"seeds": [0, 1], "grid": grid})
    groups = {(group.config.method, group.config.network.architecture): group for group in results.groups}
    assert len(groups) == 6
    for name in grid["network.architecture"]:
        assert results.control_of(groups["must", name]) is groups["mt_sac", name]
        assert results.static_control_of(groups["must", name]) is groups["static_sparse", name]


def test_reading_configurations_and_rooms_takes_no_torch():
    """Workers, workflow and tables do it; in a process of its own, since this one has torch."""
    rooms = ", ".join(f"must.methods.{name}" for name in METHODS)
    code = f"import sys, must.config, {rooms}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
