"""Weights & Biases: one run for a run directory, whatever number of processes train in it.

Its metrics are those of ``train.csv`` and ``eval.csv``, over environment steps. Beside them it has the names that
openrlbenchmark asks for: the settings ``env_id``, ``exp_name`` and ``seed``, and ``charts/episodic_return`` and
``charts/success_rate`` over ``global_step``.
"""

from __future__ import annotations

import csv
import heapq
import logging
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from must.config import EnvConfig, RunConfig, result_settings
from must.errors import ConfigError
from must.run_files import ENV_STEPS, EPOCH, MEAN_SUCCESS, return_columns, table

START_SECONDS = 30
"""How long the server may take to answer at the start."""
GLOBAL_STEP, RETURN, SUCCESS = "global_step", "charts/episodic_return", "charts/success_rate"
_LONGEST_NAME, _LONGEST_GROUP = 128, 128
_SEED = "seed~"
"""How the part of a run's path begins that says its seed."""

log = logging.getLogger("must")


class WandB:
    """A live log in Weights & Biases; see `must.live_logs.LiveLog`."""

    def __init__(self, directory: Path, config: RunConfig, resumed: bool) -> None:
        """Begin the run of a directory, or go on with it.

        Args:
            directory: The run directory; its ``wandb/run-id`` says which run it is.
            config: The run's settings.
            resumed: Whether there are rows from before, of which the newest may not have been sent.
        """
        os.environ.setdefault("WANDB_SILENT", "true")  # its own lines would stand among those of the run
        import wandb

        place = directory / "wandb"
        place.mkdir(exist_ok=True)
        group = config.logging.wandb_group or setting_name(directory) or config.method
        named = {"env_id": environment_name(config.env), "exp_name": group, "seed": config.training.seed}
        named["method"] = config.method
        arguments: dict[str, Any] = {
            "project": config.logging.wandb_project,
            "entity": config.logging.wandb_entity,
            "group": group,
            "tags": config.logging.wandb_tags,
            "dir": str(directory),
            "id": _run_id(place / "run-id"),
            "name": run_name(directory),
            "config": named | result_settings(config),
            "resume": "allow",
        }
        settings = wandb.Settings(console="off", silent=True, init_timeout=START_SECONDS, disable_git=True)
        try:
            if config.logging.wandb == "online":
                _require_key(wandb)
            self._run = wandb.init(**arguments | {"mode": config.logging.wandb}, settings=settings)
        except Exception as error:
            if config.logging.wandb == "offline":
                raise
            log.warning(
                "logging.wandb: online, but %s: writing offline to %s, which wandb sync uploads later",
                first_line(error),
                place,
            )
            self._run = wandb.init(**arguments | {"mode": "offline"}, settings=settings)
        for metrics in ("train/*", "eval/*", "charts/*"):
            self._run.define_metric(metrics, step_metric=ENV_STEPS)
        self._returns = [f"eval/{column}" for column in return_columns(config.env.task_names)]
        if resumed:  # a process that was killed took the newest rows with it
            known = int(self._run.step)  # by the server; offline 0
            for name, row in _logged(directory):
                if row[EPOCH] >= known:
                    self(name, row)

    def __call__(self, name: str, row: Mapping[str, Any]) -> None:
        """Take a row of the log of this name."""
        # A step is an epoch: what a resumed run logs again has the steps that it had, which are there already.
        values = {f"{name}/{column}": value for column, value in row.items() if value is not None}
        values |= dict.fromkeys((ENV_STEPS, GLOBAL_STEP), row[ENV_STEPS])
        if name == "eval":
            values[SUCCESS] = row[MEAN_SUCCESS]
            if all(column in values for column in self._returns):
                values[RETURN] = float(np.mean([values[column] for column in self._returns]))
        self._run.log(values, step=row[EPOCH])

    def sync(self) -> None:
        """Do nothing: the library writes when it likes, and what it had not written is logged again."""

    def close(self) -> None:
        """Write out what was taken, and end."""
        self._run.finish()


def run_name(directory: Path) -> str:
    """Return the name of a run by its path: experiment and settings, without what leads there and without ``runs``."""
    parts = directory.resolve().parts
    if "runs" in parts[2:]:
        at = len(parts) - 1 - parts[::-1].index("runs")
        parts = (parts[at - 1], *parts[at + 1 :])
    else:
        parts = parts[-1:]
    return "/".join(parts)[-_LONGEST_NAME:]


def setting_name(directory: Path) -> str:
    """Return the name of a run without its seed, which the runs of a setting share; empty where it names no seed."""
    parts = run_name(directory).split("/")
    others = [part for part in parts if not part.startswith(_SEED)]
    return "/".join(others)[-_LONGEST_GROUP:] if len(others) < len(parts) else ""


def environment_name(env: EnvConfig) -> str:
    """Return what stands for the tasks: the benchmark, ``MT10-first3`` for a part of it, or the tasks, joined."""
    if env.benchmark is None:
        return "+".join(env.task_names)
    return env.benchmark if env.n_tasks is None else f"{env.benchmark}-first{env.n_tasks}"


def _logged(directory: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the rows of ``train.csv`` and ``eval.csv``, by epoch: (log, row)."""
    with (
        (directory / table("train")).open(newline="") as train,
        (directory / table("eval")).open(newline="") as evaluations,
    ):
        rows = (
            ((name, {EPOCH: int(row.pop(EPOCH)), **{key: float(text) for key, text in row.items() if text}}))
            for name, row in heapq.merge(
                (("train", row) for row in csv.DictReader(train)),
                (("eval", row) for row in csv.DictReader(evaluations)),
                key=lambda entry: int(entry[1][EPOCH]),
            )
        )
        yield from rows


def _run_id(path: Path) -> str:
    """Return the identifier of the run: the one that an earlier process made, else a new one."""
    known = path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
    if known.isalnum():
        return known
    made = secrets.token_hex(8)
    path.write_text(f"{made}\n", encoding="utf-8")
    return made


def _require_key(wandb: Any) -> None:
    """Check that the user has logged in: on a terminal the library would wait for somebody to type."""
    try:
        found = wandb.login(prompt=False)
    except TypeError:  # versions up to 0.30 have no such argument
        found = wandb.api.api_key
    if not found:
        raise ConfigError("there is no API key (wandb login)")


def first_line(error: Exception) -> str:
    """Return the first line of a library's message, which may have many."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]
