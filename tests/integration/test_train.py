"""What a user types and sees."""

import contextlib
import csv
import json
import os
import pty
import subprocess

import pytest
import torch
import yaml

from must.config import load_experiment
from tests.support.helpers import ROOT
from tests.support.processes import contents, must_command

TASKS = ["reach-v3", "drawer-close-v3", "push-v3"]


def test_a_run_directory_holds_everything(must, config_file, tmp_path):
    must(
        "train",
        "--config",
        config_file(),
        "--out",
        "run",
        "--seed",
        3,
        "--pruning-ratio",
        0.25,
        "--update-interval",
        3,
        "--generator-lr",
        "1e-3",
        "--use-sl-loss",
        0,
        "--use-trajectory-info",
        1,
        "--n-tasks",
        3,
        "--n-workers",
        2,
        "--set",
        "sac.gamma=0.9",
        "--set",
        "logging.tensorboard=true",
    )
    run = tmp_path / "run"
    names = {path.name for path in run.iterdir()}
    assert names == {
        "config.yaml",
        "manifest.json",
        "eval.csv",
        "train.csv",
        "masks.csv",
        "timing.csv",
        "train.log",
        "final.pt",
        "result.json",
        "tensorboard",
        ".lock",
    }
    assert list((run / "tensorboard").iterdir())
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["training"]["seed"] == 3
    assert config["masks"]["pruning_ratio"] == 0.25
    assert config["masks"]["update_interval"] == 3
    assert config["generator"]["lr"] == 1e-3
    assert config["generator"]["use_sl_loss"] is False
    assert config["sac"]["gamma"] == 0.9
    assert config["sac"]["tau"] == 0.005
    with (run / "eval.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "epoch",
        "env_steps",
        "mean_success",
        *(f"success/{t}" for t in TASKS),
        *(f"return/{t}" for t in TASKS),
    ]
    assert [(int(row["epoch"]), int(row["env_steps"])) for row in rows] == [(0, 0), (2, 60), (4, 120), (5, 150)]
    with (run / "train.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["mask_version"] for row in rows] == ["0", "1", "1", "2", "2"]
    assert [bool(row["mask_churn"]) for row in rows] == [False, False, False, True, False]
    assert rows[0]["policy_loss"] == ""
    assert all(float(row[f"temperature/{task}"]) > 0 for row in rows for task in TASKS)
    with (run / "masks.csv").open() as file:
        pairs = list(csv.DictReader(file))
    assert len(pairs) == 2 * 3 * 3
    assert all(0 <= float(pair["overlap"]) <= 1 for pair in pairs)
    with (run / "timing.csv").open() as file:
        times = list(csv.DictReader(file))
    assert list(times[0]) == ["epoch", "collect_s", "learn_s", "evaluate_s", "cpu_s"]
    assert all(float(row["cpu_s"]) > 0 for row in times)
    result = json.loads((run / "result.json").read_text())
    assert result["env_steps"] == 150
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["state"] == "finished"
    assert manifest["seed"] == 3
    assert manifest["packages"]["metaworld"].startswith("3.1")
    assert manifest["container"] is None
    assert manifest["started"] <= manifest["ended"]
    final = torch.load(run / "final.pt", weights_only=True)
    assert final["mask_version"] == 2
    assert "5/5" in (run / "train.log").read_text()


def test_a_finished_run_is_not_run_again(must, config_file, tmp_path):
    command = ["train", "--config", config_file(), "--out", "run"]
    must(*command)
    before = contents(tmp_path / "run", ("eval.csv", "manifest.json", "result.json"))
    done = must(*command)
    assert "finished already" in done.stdout
    assert contents(tmp_path / "run", tuple(before)) == before


def test_evaluating_a_finished_run_repeats_its_last_evaluation(must, config_file, tmp_path):
    must("train", "--config", config_file(), "--out", "run")
    answers = [must("evaluate", "run", "--episodes", 1, "--n-workers", n, "--json").stdout for n in (1, 2)]
    assert answers[0] == answers[1]
    answer = json.loads(answers[0])
    with (tmp_path / "run" / "eval.csv").open() as file:
        last = list(csv.DictReader(file))[-1]
    for task in TASKS:
        assert float(last[f"return/{task}"]) == pytest.approx(answer["return"][task], rel=1e-8)
        assert float(last[f"success/{task}"]) == answer["success"][task]
    table = must("evaluate", "run", "--episodes", 3).stdout
    *rows, below = table.splitlines()
    assert [line.split()[0] for line in rows] == ["task", *TASKS, "mean"]
    horizon = load_experiment(config_file()).env.horizon
    assert below == f"3 episodes of {horizon} steps for each task, each at a goal of its own"


@pytest.mark.parametrize(
    "options",
    [
        ["--set", "env.goals=fixed", "--set", "env.reward=v1"],
        ["--n-tasks", 1, "--set", "masks.granularity=weight", "--set", "generator.head=dense"],
        [
            "--set",
            "env.tasks=null",
            "--set",
            "env.benchmark=MT10",
            "--n-tasks",
            2,
            "--use-sl-loss",
            0,
            "--use-trajectory-info",
            0,
        ],
        ["--set", "masks.granularity=weight", "--set", "masks.relaxation=softmax", "--set", "network.init=original"],
    ],
)
def test_variants_of_the_method_train(must, config_file, tmp_path, options):
    must("train", "--config", config_file(), "--out", "run", *options)
    assert (tmp_path / "run" / "result.json").exists()


def test_a_terminal_shows_a_bar_and_the_log_file_plain_lines(must, config_file, tmp_path):
    ours, theirs = pty.openpty()
    config = config_file()
    command = must_command("train", "--config", config, "--out", "run")
    environment = {**os.environ, "TERM": "xterm"}
    process = subprocess.Popen(command, cwd=tmp_path, stderr=theirs, stdout=subprocess.PIPE, env=environment)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # that is how the end of a terminal's output is told
        while chunk := os.read(ours, 65536):
            shown += chunk
    os.close(ours)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"\x1b[" in shown
    assert b"5/5" in shown
    assert b"steps/s" in shown
    text = (tmp_path / "run" / "train.log").read_text()
    assert "\x1b" not in text
    assert "epoch 5/5" in text
    must("train", "--config", config, "--out", "without")  # without a terminal, and so without a bar
    assert contents(tmp_path / "run") == contents(tmp_path / "without")


def test_the_experiments_that_ship_are_valid():
    for path in sorted((ROOT / "config").glob("*.yaml")):
        experiment = load_experiment(path)
        assert experiment.name == path.stem
        for spec in experiment.runs():
            overrides = experiment.overrides(spec)
            assert load_experiment(path, overrides).run_config().training.seed == spec.seed


def test_the_last_evaluation_can_have_more_and_longer_episodes(must, config_file, tmp_path):
    evaluation = {"interval": 2, "episodes": 1}
    config = config_file(evaluation=evaluation, env={"horizon": 20}, training={"pretrain_epochs": 2})
    must("train", "--config", config, "--out", "plain")
    judged = ("--set", "evaluation.final_episodes=3", "--set", "evaluation.final_horizon=50")
    must("train", "--config", config, "--out", "judged", *judged)
    plain, found = ((tmp_path / name / "eval.csv").read_text().splitlines() for name in ("plain", "judged"))
    assert found[:-1] == plain[:-1]
    assert found[-1].split(",")[:2] == plain[-1].split(",")[:2]  # the epoch and the steps of training
    columns = found[0].split(",")
    returns = [column for column in columns if column.startswith("return/")]
    before, last = (dict(zip(columns, line.split(","), strict=True)) for line in (plain[-1], found[-1]))
    assert all(float(last[column]) > float(before[column]) for column in returns)  # rewards are positive: more steps
    assert (tmp_path / "plain/train.csv").read_bytes() == (tmp_path / "judged/train.csv").read_bytes()

    again = json.loads(must("evaluate", "judged", "--episodes", 3, "--json").stdout)
    assert (again["episodes"], again["horizon"]) == (3, 50)
    shorter = json.loads(must("evaluate", "judged", "--episodes", 1, "--horizon", 20, "--json").stdout)
    for task in TASKS:
        assert again["return"][task] == pytest.approx(float(last[f"return/{task}"]), rel=1e-8)
        assert shorter["return"][task] == pytest.approx(float(before[f"return/{task}"]), rel=1e-8)
