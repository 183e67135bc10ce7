"""The parent's side of collection: K tasks spread over worker processes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Protocol

import numpy as np

from must import drawing
from must.collect.messages import Collect, Evaluate, Failure, GetState, Request, RunnerState, SetState
from must.config import RunConfig
from must.environment import THREAD_VARIABLES, variables
from must.errors import NumericalError, WorkerError
from must.numpy_policy import NumpyPolicy
from must.types import Collected, EvalResult

START_SECONDS = 120.0
"""A worker may take this long to start, even where less is enough to answer."""


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    tasks: list[int]
    names: list[str]
    cpu_seconds: float = 0.0
    """Used since its start, when it answered last."""


class Interruption(Protocol):
    """Ends what waits for a worker."""

    n_workers: int
    """Workers that a run may have."""

    def fileno(self) -> int:
        """Return a descriptor that can be read from when there is a reason to."""

    def check(self) -> None:
        """Raise an exception if the one who waits is to stop."""


class Collector:
    """Collects and evaluates all tasks. Use it as a context manager: leaving it ends the workers.

    Every request goes to all workers at once and returns when all have answered, in the order of the tasks.
    """

    def __init__(self, config: RunConfig, niceness: int = 0, interruption: Interruption | None = None) -> None:
        """Start the workers.

        Args:
            config: The run's settings.
            niceness: By how much the workers stand back behind other processes.
            interruption: Of a run that shares its process with others; by default, signals interrupt.

        Raises:
            WorkerError: A worker cannot start.
        """
        self._timeout = 60 * config.training.worker_timeout_minutes
        names = config.env.task_names
        self._n_tasks = len(names)
        self._interruption = interruption
        n_workers = min(config.training.n_workers, len(names), interruption.n_workers if interruption else len(names))
        # A forked process would inherit torch's threads and locks in an unknown state.
        context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        try:
            with variables(dict.fromkeys(THREAD_VARIABLES, "1")), drawing.disabled():
                for number in range(n_workers):
                    tasks = list(range(number, len(names), n_workers))
                    self._workers.append(_start(context, config, tasks, niceness))
            self._gather(max(self._timeout, START_SECONDS))
        except BaseException:
            self.close()
            raise

    def collect(self, policy: NumpyPolicy | None, frames: int) -> list[Collected]:
        """Take ``frames`` steps in every task, with uniform actions without a policy; return what each collected."""
        return self._ask(lambda worker: Collect(policy and policy.for_tasks(worker.tasks), frames))

    def evaluate(self, policy: NumpyPolicy, episodes: int, horizon: int | None = None) -> EvalResult:
        """Evaluate every task with the mean action, in episodes of ``horizon`` steps (default: those of training)."""
        self.begin_evaluation(policy, episodes, horizon)
        return self.end_evaluation()

    def begin_evaluation(self, policy: NumpyPolicy, episodes: int, horizon: int | None = None) -> None:
        """Have the workers evaluate, see `evaluate`; ask nothing else of them before `end_evaluation`."""
        self._send(lambda worker: Evaluate(policy.for_tasks(worker.tasks), episodes, horizon))

    def end_evaluation(self, timeout: float | None = None) -> EvalResult:
        """Wait for the evaluation that was begun.

        Args:
            timeout: Seconds that each worker may still take (default: what the settings say).
        """
        success, returns = zip(*self._in_order(self._gather(timeout)), strict=True)
        return EvalResult(np.array(success), np.array(returns))

    @property
    def cpu_seconds(self) -> float:
        """Return the seconds of CPU that the workers have used until their last answers."""
        return sum(worker.cpu_seconds for worker in self._workers)

    def has_answered(self) -> bool:
        """Return whether every worker has answered, or one has died: there is nothing to wait for."""
        if any(not worker.process.is_alive() for worker in self._workers):
            return True
        return all(worker.pipe.poll() for worker in self._workers)

    def state(self) -> list[RunnerState]:
        """Return where the collection of each task stands."""
        return self._ask(lambda _: GetState())

    def restore(self, states: Sequence[RunnerState]) -> None:
        """Go on from saved states, one for each task."""
        self._send(lambda worker: SetState([states[task] for task in worker.tasks]))
        self._gather()

    def close(self, at_once: bool = False) -> None:
        """End the workers; those that do not end by themselves, or all of them ``at_once``, are killed."""
        for worker in self._workers:
            worker.pipe.close()
        for worker in self._workers:
            worker.process.join(timeout=0 if at_once else 1)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers = []

    def __enter__(self) -> Collector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, request: Callable[[_Worker], Request]) -> list[Any]:
        self._send(request)
        return self._in_order(self._gather())

    def _in_order(self, answers: Sequence[Any]) -> list[Any]:
        """Return the workers' answers in the order of the tasks."""
        results: list[Any] = [None] * self._n_tasks
        for worker, answer in zip(self._workers, answers, strict=True):
            for task, value in zip(worker.tasks, answer, strict=True):
                results[task] = value
        return results

    def _send(self, request: Callable[[_Worker], Request]) -> None:
        for worker in self._workers:
            try:
                worker.pipe.send(request(worker))
            except (BrokenPipeError, ConnectionResetError):
                raise _died(worker) from None

    def _gather(self, timeout: float | None = None) -> list[Any]:
        return [self._receive(worker, self._timeout if timeout is None else timeout) for worker in self._workers]

    def _receive(self, worker: _Worker, timeout: float) -> Any:
        answer: list[Any] = [worker.pipe, worker.process.sentinel]
        if self._interruption is None:
            ready = wait(answer, timeout=timeout)
        else:
            stop = self._interruption.fileno()
            ready = wait([*answer, stop], timeout=timeout)
            if ready == [stop]:
                self._interruption.check()
                ready = wait(answer, timeout=timeout)
        if not ready:
            raise WorkerError(
                f"the collection worker of {', '.join(worker.names)} (process {worker.process.pid}) has not answered "
                f"for {max(timeout, self._timeout) / 60:g} minutes: look at what it does, or raise "
                "training.worker_timeout_minutes"
            )
        try:
            answered, worker.cpu_seconds = worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            raise _died(worker) from None
        if isinstance(answered, Failure):
            if answered.expected:
                raise NumericalError(answered.message)
            raise WorkerError(f"the collection worker of {', '.join(worker.names)} failed: {answered.message}")
        return answered


def _start(context: Any, config: RunConfig, tasks: list[int], niceness: int) -> _Worker:
    names = [config.env.task_names[task] for task in tasks]
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_work, args=(theirs, names, config.training.seed, config.env, os.getpid(), niceness), daemon=True
    )
    try:
        process.start()
    except OSError as error:
        raise WorkerError(f"the collection worker of {', '.join(names)} cannot start: {error.strerror}") from None
    theirs.close()  # so that a worker that dies closes the last other end
    return _Worker(process, ours, tasks, names)


def _work(*arguments: Any) -> None:
    """Run a worker process. Only workers import the simulator, which takes half a second of a start."""
    from must.collect.worker import serve

    serve(*arguments)


def _died(worker: _Worker) -> WorkerError:
    worker.process.join(timeout=5)
    code = worker.process.exitcode
    cause = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with status {code}"
    hint = " (out of memory?)" if code == -9 else ""
    return WorkerError(f"the collection worker of {', '.join(worker.names)} {cause}{hint}")
