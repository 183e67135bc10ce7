"""The training loop, and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from must.algorithms import METRICS, Agent, GradientSteps
from must.buffers import ReplayBuffer, TrajectoryStore
from must.collect import BackgroundEvaluation, Collector
from must.config import LOG_COLUMNS, RunConfig
from must.errors import NumericalError
from must.run_files import (
    ENV_STEPS,
    EPOCH,
    MASK_CHURN,
    MASK_OVERLAP,
    TIMING_COLUMNS,
    temperature_columns,
)
from must.run_log import RunLog
from must.seeding import Stream, numpy_rng
from must.training.evaluation import Evaluations
from must.training.mask_log import MaskLog
from must.training.state import pack_runners, pack_store, unpack_runners, unpack_store
from must.types import EvalResult, Trajectories


def train_columns(config: RunConfig, agent: Agent) -> list[str]:
    """Return the columns of ``train.csv`` after the epoch and the environment steps."""
    temperatures = temperature_columns(config.env.task_names)
    masks = [MASK_CHURN, MASK_OVERLAP]
    return ["mask_version", *METRICS, *LOG_COLUMNS, *masks, *temperatures, *agent.columns]


class Trainer:
    """Runs the epochs of one run. Everything it works with is made outside and given to it."""

    def __init__(
        self,
        config: RunConfig,
        agent: Agent,
        replay: ReplayBuffer,
        collector: Collector,
        log: RunLog,
        background: BackgroundEvaluation | None = None,
        before_step: Callable[[], None] | None = None,
    ) -> None:
        """Start before the first epoch; `restore` goes to a later one. See `GradientSteps` for ``before_step``.

        A run without it has the process for itself.
        """
        self._config, self._agent, self._replay = config, agent, replay
        self._collector, self._log = collector, log
        self._steps = GradientSteps(agent, replay, config.sac.batch_size_per_task, before_step=before_step)
        self._tasks = config.env.task_names
        self._store = TrajectoryStore(len(self._tasks), config.generator.trajectory_window)
        self._trajectory_rng = numpy_rng(config.training.seed, Stream.TRAJECTORIES)
        self._mask_log = MaskLog(agent.mask_set)
        self.epoch = 0
        """Epochs that are complete."""
        self.last_epoch = config.training.pretrain_epochs + config.training.epochs
        self._background = background
        self._learner_cpu = time.process_time if before_step is None else time.thread_time
        self._evaluations = Evaluations(config, agent, collector, log, background)

    @property
    def result(self) -> EvalResult | None:
        """Return the newest evaluation whose result is known."""
        return self._evaluations.result

    @property
    def env_steps(self) -> int:
        """Environment steps taken so far, of all tasks together."""
        return self.epoch * self._config.training.epoch_frames * len(self._tasks)

    def begin(self) -> None:
        """Evaluate the untrained policy, unless this run goes on from a checkpoint; then, what was interrupted."""
        if self.result is None:
            self._evaluations.evaluate(0)
        else:
            self._evaluations.go_on()

    def snapshot(self) -> dict[str, Any]:
        """Return everything that the run's future depends on (the replay buffer apart), as data for a checkpoint.

        It stays as it is while the next epoch runs.
        """
        return {
            "epoch": self.epoch,
            "agent": self._agent.snapshot(self._agent.masks.learns_masks(self._training_epoch(self.epoch + 1))),
            "runners": pack_runners(self._collector.state()),
            "store": pack_store(self._store),
            "trajectory_rng": json.dumps(self._trajectory_rng.bit_generator.state),
            **self._evaluations.snapshot(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `snapshot` returned."""
        self.epoch = state["epoch"]
        self._evaluations.restore(state)
        self._agent.restore(state["agent"])
        self._mask_log = MaskLog(self._agent.mask_set)
        self._collector.restore(unpack_runners(state["runners"]))
        unpack_store(state["store"], self._store)
        self._trajectory_rng.bit_generator.state = json.loads(state["trajectory_rng"])

    def run_epoch(self) -> None:
        """Collect, learn, evaluate."""
        cpu, times = self._cpu_seconds(), [time.monotonic()]
        self._agent.masks.before_epoch(self._training_epoch(self.epoch + 1), self._trajectories)
        self._collect()
        self.epoch += 1
        times.append(time.monotonic())
        row = self._learn() if self._training_epoch(self.epoch) >= 1 else {}
        self._log_training(row)
        times.append(time.monotonic())
        if self.epoch % self._config.evaluation.interval == 0 or self.epoch == self.last_epoch:
            self._evaluations.evaluate(self.epoch, last=self.epoch == self.last_epoch)
        else:
            self._evaluations.take_in()
        times.append(time.monotonic())
        values = (self.epoch, *np.diff(times).tolist(), self._cpu_seconds() - cpu)
        self._log.append("timing", dict(zip(TIMING_COLUMNS, values, strict=True)))

    def _cpu_seconds(self) -> float:
        """Return the seconds of CPU that the learner and the workers have used."""
        workers = self._collector.cpu_seconds + (self._background.cpu_seconds if self._background else 0)
        return self._learner_cpu() + workers

    def _training_epoch(self, epoch: int) -> int:
        """Number an epoch without the pretraining ones, from 1."""
        return epoch - self._config.training.pretrain_epochs

    def _collect(self) -> None:
        training = self._config.training
        uniform = training.pretrain_actions == "uniform" and self._training_epoch(self.epoch + 1) < 1
        collected = self._collector.collect(None if uniform else self._agent.numpy_policy(), training.epoch_frames)
        self._replay.add(collected)
        self._agent.on_collected(collected)
        for task, part in enumerate(collected):
            for episode in part.episodes:
                self._store.add(task, episode)

    def _learn(self) -> dict[str, Any]:
        """Take the gradient steps of an epoch; return the means of what they reported."""
        number = self._training_epoch(self.epoch)
        learn_masks = self._agent.masks.learns_masks(number)
        row = self._agent.masks.begin_learning(number, self._trajectories)
        steps = self._config.training.opt_times
        if learn_masks:
            apart = self._agent.masks.updates_apart
            row |= self._take_steps(self._config.masks.update_steps or steps if apart else steps, learn_masks=True)
            row |= self._agent.masks.end_mask_update()
        if not learn_masks or self._agent.masks.updates_apart:
            row |= self._take_steps(steps)
        row |= self._agent.end_learning(number)
        for name, value in row.items():
            if not np.isfinite(value):
                raise NumericalError(f"epoch {self.epoch}: {name} is {value}; lower sac.lr or env.reward_scale")
        return row

    def _take_steps(self, times: int, learn_masks: bool = False) -> dict[str, float]:
        """Take gradient steps; return the means of what they reported."""
        means = self._steps.take(times, learn_masks)
        return dict(zip(self._agent.reported(learn_masks), means.tolist(), strict=True))

    def _trajectories(self) -> Trajectories | None:
        """Return the stored trajectories that stand for the tasks; see `TrajectoryStore`."""
        if self._config.generator.encoding == "episode":
            return self._store.draw(self._trajectory_rng)
        return self._store.window()

    def _log_training(self, row: dict[str, Any]) -> None:
        temperatures = self._agent.log_alpha.detach().exp().tolist()
        row |= dict(zip(temperature_columns(self._tasks), temperatures, strict=True))
        row |= self._mask_log.follow(self._agent.mask_set)
        self._log.append("train", {EPOCH: self.epoch, ENV_STEPS: self.env_steps, **row})
        if MASK_CHURN in row:
            for pair in self._mask_log.pairs(self._tasks):
                self._log.append("masks", {EPOCH: self.epoch, **pair})
