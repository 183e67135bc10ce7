"""Collection and evaluation in the test's own process: real simulators, without the seconds that workers take to start.

What workers add, processes that fail, is not here; what they compute is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from must.collect import RunnerState
from must.collect.runner import TaskRunner, collect, evaluate
from must.config import RunConfig
from must.numpy_policy import NumpyPolicy
from must.types import Collected, EvalResult


class LocalCollector:
    """Stands for `must.collect.Collector`."""

    cpu_seconds = 0.0

    def __init__(self, config: RunConfig, niceness: int = 0, interruption: Any = None) -> None:
        self._runners = [TaskRunner(name, config.training.seed, config.env) for name in config.env.task_names]
        self._asked: tuple = ()

    def collect(self, policy: NumpyPolicy, frames: int) -> list[Collected]:
        return collect(self._runners, policy, frames)

    def evaluate(self, *asked) -> EvalResult:
        self.begin_evaluation(*asked)
        return self.end_evaluation()

    def begin_evaluation(self, policy: NumpyPolicy, episodes: int, horizon: int | None = None) -> None:
        assert not self._asked
        self._asked = policy, episodes, horizon

    def end_evaluation(self, timeout: float | None = None) -> EvalResult:
        success, returns = zip(*evaluate(self._runners, *self._asked), strict=True)
        self._asked = ()
        return EvalResult(np.array(success), np.array(returns))

    def has_answered(self) -> bool:
        return True

    def state(self) -> list[RunnerState]:
        return [runner.state() for runner in self._runners]

    def restore(self, states: Sequence[RunnerState]) -> None:
        for runner, state in zip(self._runners, states, strict=True):
            runner.restore(state)

    def close(self, at_once: bool = False) -> None:
        pass

    def __enter__(self) -> LocalCollector:
        return self

    def __exit__(self, *_: object) -> None:
        pass
