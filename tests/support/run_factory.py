"""Run directories as a training writes them, but with success rates of the test's choosing."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from must.config import Experiment, RunConfig, RunSpec, dump, parse_experiment
from must.data.runs import Results, load_results

SIZES = {
    "policy_parameters": 1000,
    "q_parameters": 900,
    "q_parameters_kept": 450,
    "generator_parameters": 5_260_000,
    "flops_per_action": 93_100,
}

QUALITY = {"mtmh_sac": 0.35, "pcgrad": 0.8, "cagrad": 0.6, "paco": 0.4, "t3s": 0.7, "magnitude": 0.65}
"""How much hard tasks take from the success of some methods."""
TASK_MASKS = ("must", "static_sparse")
"""Methods that give each task masks of its own."""

Success = Callable[[RunSpec, RunConfig], Any]
"""Returns the (E, K) success rates of a run."""


def learning_curves(spec: RunSpec, config: RunConfig, evaluations: int = 13, episodes: int = 10) -> np.ndarray:
    """Success rates that look like training: tasks of different difficulty, noise of a finite number of episodes."""
    rng = np.random.default_rng([*spec.path.encode()])
    tasks, sparsity = len(config.env.task_names), 0.0 if config.dense else config.masks.pruning_ratio
    hardness = np.random.default_rng(tasks).uniform(0, 1, tasks)
    plateau = np.clip(
        1.15 - QUALITY.get(config.method, 0.5) * hardness**2 - 0.3 * sparsity**4 + rng.normal(0, 0.05, tasks), 0, 1
    )
    middle = 0.2 + 0.5 * hardness + 0.1 * sparsity
    rate = plateau / (1 + np.exp(-14 * (np.linspace(0, 1, evaluations)[:, None] - middle)))
    return rng.binomial(episodes, rate) / episodes


class RunFactory:
    """Writes run directories of an experiment below ``results/<name>/runs/``."""

    def __init__(self, results: Path) -> None:
        self.results = results

    def experiment(self, **sections: Any) -> Experiment:
        """An experiment on two tasks with two seeds, pruning 0 and 0.5 and one interval; sections replace its own."""
        data: dict[str, Any] = {
            "name": "fake",
            "sweep": {"seeds": [0, 1], "pruning_ratios": [0, 0.5], "update_intervals": [10]},
            "env": {"tasks": ["reach-v3", "door-open-v3"]},
            "training": {"epochs": 100},
        }
        return parse_experiment(data | sections)

    def directory(self, experiment: Experiment, spec: RunSpec) -> Path:
        """Directory of one run."""
        return self.results / experiment.name / "runs" / spec.path

    def write_all(self, experiment: Experiment, success: Success = learning_curves) -> list[Path]:
        """Write every run of the sweep, finished."""
        return [self.write(experiment, spec, success) for spec in experiment.runs()]

    def results_of(self, success: Success = learning_curves, **sections: Any) -> tuple[Experiment, Results]:
        """Write every run of an experiment with these sections, finished, and load them."""
        experiment = self.experiment(**sections)
        self.write_all(experiment, success)
        return experiment, load_results(experiment, self.results)

    def write(self, experiment: Experiment, spec: RunSpec, success: Success = learning_curves, **manifest: Any) -> Path:
        """Write one finished run."""
        config = parse_experiment(experiment.model_dump(mode="json"), experiment.overrides(spec)).run_config()
        directory = self.directory(experiment, spec)
        directory.mkdir(parents=True)
        rates = np.asarray(success(spec, config), dtype=float)
        (directory / "config.yaml").write_text(dump(config))
        (directory / "eval.csv").write_text(_eval_csv(config, rates))
        (directory / "train.csv").write_text(_train_csv(config, spec))
        (directory / "timing.csv").write_text(_timing_csv(config))
        (directory / "masks.csv").write_text(_masks_csv(config, spec))
        (directory / "manifest.json").write_text(json.dumps(_manifest() | manifest))
        (directory / "result.json").write_text(json.dumps(_result(directory, config, rates)))
        return directory

    @staticmethod
    def rewrite_checksums(directory: Path) -> None:
        """Let a finished run vouch for logs that a test has changed."""
        result = json.loads((directory / "result.json").read_text())
        result["sha256"] = {
            name: hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in result["sha256"]
        }
        (directory / "result.json").write_text(json.dumps(result))


def write_unfinished(directory: Path, state: str) -> None:
    """Make a finished run one that ended on the way."""
    (directory / "result.json").unlink()
    (directory / "manifest.json").write_text(json.dumps(_manifest() | {"state": state}))


def _eval_csv(config: RunConfig, rates: np.ndarray) -> str:
    tasks = config.env.task_names
    epochs = np.linspace(0, config.training.epochs, len(rates)).round().astype(int)
    columns = ["epoch", "env_steps", "mean_success"]
    columns += [f"{kind}/{task}" for kind in ("success", "return") for task in tasks]
    rows = []
    for epoch, row in zip(epochs, rates, strict=True):
        steps = (int(epoch) + config.training.pretrain_epochs) * config.training.epoch_frames * len(tasks)
        rows.append([int(epoch), steps, row.mean(), *row.tolist(), *(100 * row).tolist()])
    return _to_csv(columns, rows)


def _timing_csv(config: RunConfig) -> str:
    """Two seconds of collection and one of evaluation; four of learning, as many again in every tenth epoch."""
    first, last = config.training.pretrain_epochs, config.training.pretrain_epochs + config.training.epochs
    rows = [[n, 2.0, (4.0 if n % 10 else 8.0) * (n > first), 1.0] for n in range(1, last + 1)]
    return _to_csv(["epoch", "collect_s", "learn_s", "evaluate_s"], rows)


def _train_csv(config: RunConfig, spec: RunSpec) -> str:
    """Losses, and at each mask update the share of the masks that it replaced."""
    rng, steps = np.random.default_rng([*spec.path.encode()]), config.training.epoch_frames * len(config.env.task_names)
    rows = []
    for n in range(1, config.training.epochs + 1):
        updated = config.learns_masks and n % config.masks.update_interval == 0
        churn = config.masks.pruning_ratio * np.exp(-2 * n / config.training.epochs) * rng.uniform(0.8, 1)
        epoch = n + config.training.pretrain_epochs
        rows.append([epoch, epoch * steps, -0.5, churn if updated else ""])
    return _to_csv(["epoch", "env_steps", "policy_loss", "mask_churn"], rows)


def _masks_csv(config: RunConfig, spec: RunSpec) -> str:
    columns = ["epoch", "version", "network", "task_a", "task_b", "overlap"]
    rows = []
    if not config.dense and config.method in TASK_MASKS:
        rng = np.random.default_rng([*spec.path.encode()])
        density = 1 - config.masks.pruning_ratio
        chance = density / (2 - density)
        for version, network in itertools.product(range(3 if config.learns_masks else 1), ("policy", "q1", "q2")):
            for task_a, task_b in itertools.combinations(config.env.task_names, 2):
                kin = 0.3 * version * (task_a.split("-")[0] == task_b.split("-")[0])
                overlap = chance + (1 - chance) * (kin + abs(rng.normal(0, 0.02 * version)))
                rows.append([10 * version, version, network, task_a, task_b, min(overlap, 1.0)])
    return _to_csv(columns, rows)


def _manifest() -> dict[str, Any]:
    return {
        "git_commit": "0123456789abcdef0123456789abcdef01234567",
        "git_dirty": False,
        "container": None,
        "state": "finished",
    }


def _result(directory: Path, config: RunConfig, rates: np.ndarray) -> dict[str, Any]:
    names = ("eval.csv", "train.csv", "masks.csv")
    return {
        "epochs": config.training.epochs,
        "mean_success": float(rates[-1].mean()),
        "success": dict(zip(config.env.task_names, rates[-1].tolist(), strict=True)),
        "sizes": _sizes(config),
        "sha256": {name: hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in names},
    }


def _sizes(config: RunConfig) -> dict[str, int]:
    """As many parameters as every method has, but one network a task for those that share nothing."""
    networks = len(config.env.task_names) if config.method == "single_task" else 1
    kept = 1.0 if config.dense else 1 - config.masks.pruning_ratio
    generators = SIZES["generator_parameters"] if config.method == "must" else 0
    sizes = {"policy_parameters": 1000 * networks, "q_parameters": 900 * networks}
    return SIZES | sizes | {"policy_parameters_kept": round(1000 * kept), "generator_parameters": generators}


def _to_csv(columns: list[str], rows: list[list[Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return buffer.getvalue()
