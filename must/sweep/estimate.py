"""What a run takes, from how long its parts take: pure functions of settings and measured seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from must.config import RunConfig, result_settings
from must.config.evaluation import Episodes
from must.config.schedule import renews
from must.types import ACTION_DIM, OBS_DIM

ROW_BYTES = 4 * (2 * OBS_DIM + ACTION_DIM + 1)
"""A stored transition: observation, action, next observation, reward."""
CHECKPOINT_BUFFERS, CHECKPOINTS = 1.2, 2
"""Size of all files of the replay buffer on the disk, in buffers; and states that are kept."""
_NUMBER, _MASK_ROW, _TRAIN_COLUMNS = 11, 60, 21
"""Bytes of a number in a log, and of a row of ``masks.csv``; columns of ``train.csv`` beside the temperatures."""

_NO_MATTER = frozenset(
    {f"training.{key}" for key in ("seed", "epochs", "pretrain_epochs", "epoch_frames", "opt_times")}
    | {f"sac.{key}" for key in ("lr", "temperature_lr", "gamma", "tau", "buffer_size", "initial_temperature")}
    | {f"masks.{key}" for key in ("update_interval", "freeze_after", "max_churn", "gumbel_scale", "mask_tau")}
    | {"env.goals", "env.reward_scale", "generator.lr"}
)
"""Settings that change a result, or the length of a run, but not how long a step takes."""
_STARTS = 2.0
"""A run starts as long as the process that measured it, and its workers after it."""


@dataclass(frozen=True)
class Speed:
    """How long the parts of a run take on some machine, in seconds, and what it holds, in bytes."""

    step_s: float
    env_step_s: float
    reset_s: float
    start_s: float
    learner_bytes: float
    worker_bytes: float
    state_bytes: float
    policy_bytes: float
    device: str = "cpu"
    mask_step_s: float = 0.0
    supervised_s: float = 0.0

    @classmethod
    def of(cls, measured: Mapping[str, Any]) -> Speed:
        """Return what `must.speed` has measured."""
        return cls(**measured)


def kind(config: RunConfig) -> tuple[str, ...]:
    """Return what the speed of a run depends on; runs with the same are measured once. The method comes first."""
    settings = result_settings(config)
    if config.dense:
        settings = {name: values for name, values in settings.items() if name not in ("masks", "generator")}
    no_matter = _NO_MATTER
    if config.masks.granularity == "weight":  # what is masked is multiplied all the same
        no_matter = no_matter | {"masks.pruning_ratio"}
    texts = []
    for section, values in settings.items():
        if section not in ("method", "evaluation"):
            kept = values
            if isinstance(values, dict):
                kept = {key: value for key, value in values.items() if f"{section}.{key}" not in no_matter}
            texts.append(f"{section}: {json.dumps(kept, sort_keys=True)}")
    return config.method, *sorted(texts)


def run_seconds(config: RunConfig, speed: Speed) -> float:
    """Return how long a run takes from its start to its end."""
    training, tasks = config.training, len(config.env.task_names)
    workers = min(training.n_workers, tasks)
    frames = tasks * training.epoch_frames * (training.epochs + training.pretrain_epochs)
    acting = frames * (speed.env_step_s + speed.reset_s / config.env.horizon)
    for (episodes, horizon), times in _evaluations(config):
        acting += times * tasks * episodes * (horizon * speed.env_step_s + speed.reset_s)
    return _STARTS * speed.start_s + acting / workers + _learning(config, speed)


def _evaluations(config: RunConfig) -> list[tuple[Episodes, int]]:
    """Return the episodes of an evaluation, and how often there is one: before and during training, and at the end."""
    last_epoch = config.training.epochs + config.training.pretrain_epochs
    during = 1 + (last_epoch - 1) // config.evaluation.interval
    return [(config.evaluated(last=False), during), (config.evaluated(last=True), 1)]


def evaluations(config: RunConfig) -> int:
    """Return how many evaluations a run's log will have."""
    return sum(times for _, times in _evaluations(config))


def renewals(config: RunConfig) -> int:
    """Return how often a run learns masks."""
    masks, epochs = config.masks, config.training.epochs
    if not config.learns_masks:
        return 0
    return sum(renews(number, epochs, masks.update_interval, masks.freeze_after) for number in range(1, epochs + 1))


def _learning(config: RunConfig, speed: Speed) -> float:
    steps, updates = config.training.opt_times, renewals(config)
    mask_step = speed.mask_step_s or speed.step_s
    apart = config.masks.update == "apart"
    of_masks = (config.masks.update_steps or steps) if apart else steps
    ordinary = config.training.epochs - (0 if apart else updates)
    return ordinary * steps * speed.step_s + updates * (of_masks * mask_step + speed.supervised_s)


def buffer_bytes(config: RunConfig) -> int:
    """Return the size of a run's replay buffer when it is as full as it will be."""
    training, tasks = config.training, len(config.env.task_names)
    rows = tasks * training.epoch_frames * (training.epochs + training.pretrain_epochs)
    return ROW_BYTES * min(config.sac.buffer_size, rows)


def memory_bytes(config: RunConfig, speed: Speed) -> float:
    """Return the memory that a run needs, its workers included."""
    workers = min(config.training.n_workers, len(config.env.task_names))
    on_host = buffer_bytes(config) if speed.device == "cpu" else 0
    return speed.learner_bytes + workers * speed.worker_bytes + on_host


def kept_bytes(config: RunConfig, speed: Speed | None) -> float:
    """Return the size of what a finished run leaves: its logs and its policy."""
    tasks, epochs = len(config.env.task_names), config.training.epochs + config.training.pretrain_epochs
    train = epochs * _NUMBER * (_TRAIN_COLUMNS + tasks)
    judged = evaluations(config) * _NUMBER * (3 + 2 * tasks)
    pairs = renewals(config) * 3 * tasks * (tasks - 1) / 2 * _MASK_ROW
    return train + epochs * 4 * _NUMBER + judged + pairs + (0 if speed is None else speed.policy_bytes)


def checkpoint_bytes(config: RunConfig, speed: Speed | None) -> float:
    """Return the size of a run's checkpoints while it is trained; none are left when it has finished."""
    return CHECKPOINT_BUFFERS * buffer_bytes(config) + CHECKPOINTS * (0 if speed is None else speed.state_bytes)
