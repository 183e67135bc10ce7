"""Mistakes: one clear message, exit status 2, no traceback, and nothing written or lost."""

import os
import signal
import subprocess

import pytest

from tests.support.processes import contents, epochs_logged, must_command, wait_for

MISTAKES = {
    "unknown key": (["--set", "masks.prunning_ratio=0.5"], "did you mean 'masks.pruning_ratio'"),
    "unknown section": (["--set", "mask.pruning_ratio=0.5"], "did you mean 'masks.pruning_ratio'"),
    "wrong type": (["--set", "training.epochs=many"], "training.epochs"),
    "ratio too large": (["--pruning-ratio", "1"], "--pruning-ratio 1: use at least 0 and less than 1"),
    "ratio negative": (["--pruning-ratio", "-0.1"], "--pruning-ratio -0.1: use at least 0"),
    "ratio not a number": (["--pruning-ratio", "half"], "--pruning-ratio half: use a number"),
    "unknown task": (["--set", "env.tasks=[door-opne-v3]"], "did you mean 'door-open-v3'"),
    "unknown benchmark": (["--set", "env.benchmark=MT11"], "env.benchmark"),
    "too many tasks": (
        ["--set", "env.tasks=null", "--set", "env.benchmark=MT10", "--n-tasks", "11"],
        "MT10 has 10 tasks",
    ),
    "flag": (["--use-sl-loss", "2"], "--use-sl-loss 2: write true or false"),
    "assignment": (["--set", "sac.gamma"], "section.key=value"),
    "no gpu": (["--set", "training.device=cuda"], "training.device"),
    "no wandb": (["--set", "logging.wandb=offline"], "pip install wandb"),
    "contradiction": (["--set", "generator.head=dense"], "granularity: weight"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_options(must, config_file, tmp_path, mistake):
    options, expected = MISTAKES[mistake]
    config = config_file()
    done = must("train", "--config", config, "--out", "run", *options, check=2)
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "cannot be read"),
        ("env: [", "not valid YAML"),
        ("- 1\n", "sections"),
        ("training: {seed: 0}\n", "env"),
        ("env: {benchmark: MT10}\nname: 'a; rm -rf b'\n", "name"),
    ],
)
def test_a_mistake_in_the_file(must, tmp_path, content, expected):
    if content is not None:
        (tmp_path / "bad.yaml").write_text(content)
    done = must("train", "--config", "bad.yaml", "--out", "run", check=2)
    assert expected in done.stderr
    assert "bad.yaml" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_directory_of_another_configuration_is_refused_or_moved_aside(must, config_file, tmp_path):
    command = ["train", "--config", config_file(), "--out", "run"]
    must(*command, "--seed", 0)
    before = contents(tmp_path / "run")
    done = must(*command, "--seed", 1, check=2)
    assert "another configuration" in done.stderr
    assert contents(tmp_path / "run") == before
    must(*command, "--seed", 1, "--keep-old")
    (aside,) = tmp_path.glob("run.*")
    assert contents(aside) == before
    assert contents(tmp_path / "run") != before


def test_a_directory_of_something_else_is_refused(must, config_file, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine")
    for options in ([], ["--keep-old"]):
        done = must("train", "--config", config_file(), "--out", "thesis", *options, check=2)
        assert "not a run" in done.stderr
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter.txt"]
    done = must("train", "--config", config_file(), "--out", "thesis/chapter.txt", check=2)
    assert "is a file" in done.stderr
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "mine"


def test_no_disk_space_is_said_before_anything_is_written(must, config_file, tmp_path):
    config = config_file(sac={"buffer_size": 10**13}, training={"epochs": 10**13})
    done = must("train", "--config", config, "--out", "run", check=2)
    assert "no disk space" in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_not_finite_fails_with_one_clear_error(must, config_file, tmp_path):
    done = must("train", "--config", config_file(), "--out", "run", "--set", "env.reward_scale=1e30", check=2)
    assert done.stderr.count("must:") == 1
    assert "epoch 2" in done.stderr
    assert "lower" in done.stderr
    assert "Traceback" not in done.stderr
    assert '"state": "failed"' in (tmp_path / "run" / "manifest.json").read_text()


def test_a_worker_that_dies_ends_the_run_with_one_clear_error(config_file, tmp_path):
    command = must_command("train", "--config", config_file(training={"epochs": 2000}), "--out", "run")
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    wait_for(process, lambda: epochs_logged(tmp_path / "run" / "train.csv") >= 1)
    workers = subprocess.run(["pgrep", "-P", str(process.pid), "-f", "spawn_main"], capture_output=True, text=True)
    os.kill(int(workers.stdout.split()[0]), signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.count("must:") == 1
    assert "was killed by signal 9" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["evaluate", "nothing"], "no finished run"),
        (["evaluate", "nothing", "--episodes", "51"], "50"),
        (["evaluate", "nothing", "--horizon", "501"], "500"),
        (["aggregate", "--config", "nothing.yaml"], "cannot be read"),
        (["train"], "--config"),
        (["fly"], "invalid choice"),
    ],
)
def test_a_mistake_in_the_command(must, arguments, expected):
    done = must(*arguments, check=2)
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
