"""The evaluations of a run: one after the other, or beside the epochs that follow, with the same rows in the log."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple

import torch

from must.algorithms import Agent
from must.collect import BackgroundEvaluation, Collector
from must.config import RunConfig
from must.numpy_policy import NumpyPolicy
from must.run_files import evaluation_columns
from must.run_log import RunLog
from must.types import EvalResult


class _Pending(NamedTuple):
    """An evaluation whose result is not known yet."""

    epoch: int
    state: dict[str, Any]
    """What the policy is made from again (`Agent.final_state`), for a checkpoint."""
    policy: NumpyPolicy


class Evaluations:
    """Evaluates the agent's policy as it is at the end of an epoch, and logs the results in the order of the epochs.

    In the background there is one at a time: the next one waits for it. The first and the last of a run are waited for.
    """

    def __init__(
        self,
        config: RunConfig,
        agent: Agent,
        collector: Collector,
        log: RunLog,
        background: BackgroundEvaluation | None,
    ) -> None:
        """Start before the first evaluation.

        Args:
            config: The run's settings.
            agent: Whose policy.
            collector: Evaluates what is waited for.
            log: Where the rows go.
            background: Evaluates beside the epochs; None where each evaluation is waited for.
        """
        self._config, self._agent = config, agent
        self._collector, self._log, self._background = collector, log, background
        self._pending: _Pending | None = None
        self.result: EvalResult | None = None
        """The newest one that is known."""

    def evaluate(self, epoch: int, last: bool = False) -> None:
        """Evaluate the policy at the end of an epoch, or begin to."""
        policy = self._agent.numpy_policy()
        if self._background is not None and self.result is not None and not last:
            self._finish()
            self._pending = _Pending(epoch, deepcopy(self._agent.final_state()), policy)
            self._begin(policy)
            return
        result = self._collector.evaluate(policy, *self._config.evaluated(last))
        self._finish()
        self._add(epoch, result)

    def take_in(self) -> None:
        """Log the evaluation in the background if its result is there."""
        if self._background is not None and self._background.ready():
            self._finish()

    def go_on(self) -> None:
        """Take up the evaluation that was in progress at a checkpoint."""
        if self._pending is None:
            return
        if self._background is not None:
            self._begin(self._pending.policy)
        else:
            result = self._collector.evaluate(self._pending.policy, *self._config.evaluated(last=False))
            self._add(self._pending.epoch, result)
            self._pending = None

    def snapshot(self) -> dict[str, Any]:
        """Return what is known and what is in progress, as data for a checkpoint."""
        assert self.result is not None
        known = {"result": [torch.from_numpy(self.result.success), torch.from_numpy(self.result.returns)]}
        if self._pending is None:
            return known
        return {**known, "pending": {"epoch": self._pending.epoch, "policy": self._pending.state}}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `snapshot` returned. The agent's policy is another one afterwards: restore the agent after it."""
        success, returns = state["result"]
        self.result = EvalResult(success.numpy(), returns.numpy())
        if (pending := state.get("pending")) is not None:
            self._agent.load_policy(pending["policy"])
            self._pending = _Pending(pending["epoch"], pending["policy"], self._agent.numpy_policy())

    def _begin(self, policy: NumpyPolicy) -> None:
        assert self._background is not None
        self._background.begin(policy, *self._config.evaluated(last=False))

    def _finish(self) -> None:
        """Wait for the evaluation in the background, if there is one, and log it."""
        if self._pending is not None and self._background is not None:
            result = self._background.result()
            self._add(self._pending.epoch, result)
            self._pending = None

    def _add(self, epoch: int, result: EvalResult) -> None:
        self.result = result
        tasks, success = self._config.env.task_names, result.success
        env_steps = epoch * self._config.training.epoch_frames * len(tasks)
        values = (epoch, env_steps, float(success.mean()), *success.tolist(), *result.returns.tolist())
        self._log.append("eval", dict(zip(evaluation_columns(tasks), values, strict=True)))
