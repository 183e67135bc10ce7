"""Evaluation beside training: in workers of its own, while the next epochs collect and learn."""

from __future__ import annotations

import time

from must.collect.collector import Collector, Interruption
from must.config import RunConfig
from must.environment import cores_here
from must.errors import ConfigError
from must.numpy_policy import NumpyPolicy
from must.types import EvalResult

NICENESS = 10
"""What waits for an evaluation has time; where cores are few, collection and learning go first."""


def is_on(config: RunConfig, device: str) -> bool:
    """Return whether a run evaluates beside training.

    Left to itself it does where that costs nothing: the learner works on a GPU, and there is more than one core.

    Args:
        config: The run's settings.
        device: Type of the learner's device.

    Raises:
        ConfigError: It is asked for, and cannot be.
    """
    asked = config.evaluation.beside
    if asked is True and config.logging.live:
        raise ConfigError(
            "evaluation.beside: true writes an evaluation after epochs that came later, which live logs do not take: "
            "set it to auto or false, or remove logging.tensorboard and logging.wandb"
        )
    if asked != "auto":
        return bool(asked)
    return device != "cpu" and cores_here() > 1 and not config.logging.live


class BackgroundEvaluation:
    """Evaluates one policy at a time in the background. Leaving it as a context manager ends the workers."""

    def __init__(self, config: RunConfig, interruption: Interruption | None = None) -> None:
        """Store the settings, see `Collector`; workers start with the first evaluation."""
        self._config, self._interruption = config, interruption
        self._timeout = 60 * config.training.worker_timeout_minutes
        self._collector: Collector | None = None
        self._deadline = 0.0
        self.running = False
        """Whether there is an evaluation whose result was not asked for yet."""

    def begin(self, policy: NumpyPolicy, episodes: int, horizon: int) -> None:
        """Begin an evaluation; see `Collector.evaluate`."""
        assert not self.running
        if self._collector is None:
            self._collector = Collector(self._config, NICENESS, self._interruption)
        self._collector.begin_evaluation(policy, episodes, horizon)
        self._deadline = time.monotonic() + self._timeout
        self.running = True

    def ready(self) -> bool:
        """Return whether `result` would not wait: all is there, a worker has died, or the time is up."""
        if self._collector is None or not self.running:
            return False
        return self._collector.has_answered() or time.monotonic() >= self._deadline

    def result(self) -> EvalResult:
        """Wait for the evaluation.

        Raises:
            WorkerError: A worker has died, or did not answer in time.
        """
        assert self._collector is not None
        result = self._collector.end_evaluation(max(0.0, self._deadline - time.monotonic()))
        self.running = False
        return result

    @property
    def cpu_seconds(self) -> float:
        """Return the seconds of CPU that the workers have used until their last answers."""
        return 0.0 if self._collector is None else self._collector.cpu_seconds

    def close(self) -> None:
        """End the workers, whatever they are at."""
        if self._collector is not None:
            self._collector.close(at_once=self.running)

    def __enter__(self) -> BackgroundEvaluation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
