"""The worker process: a loop over requests that come through a pipe. It imports the simulator, and not torch."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from must.collect.messages import Answer, Collect, Evaluate, Failure, GetState, Request, SetState
from must.collect.runner import TaskRunner, collect, evaluate
from must.config import EnvConfig
from must.errors import MustError


def serve(pipe: Connection, names: Sequence[str], seed: int, env: EnvConfig, parent: int, niceness: int = 0) -> None:
    """Answer requests until the parent closes the pipe, each with the seconds of CPU that were used since the start.

    The signals that ask a run to stop reach the whole process group; only the parent acts on them.
    """
    os.nice(niceness)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _die_with(parent)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            runners = [TaskRunner(name, seed, env) for name in names]
            pipe.send((None, time.process_time()))
        except Exception as error:  # noqa: BLE001 (the parent raises it)
            pipe.send((_failure(error), time.process_time()))
            return
        while True:
            request = pipe.recv()
            try:
                answer: Answer = _answer(runners, request)
            except Exception as error:  # noqa: BLE001 (the parent raises it)
                answer = _failure(error)
            pipe.send((answer, time.process_time()))


def _answer(runners: Sequence[TaskRunner], request: Request) -> Answer:
    match request:
        case Collect(policy, frames):
            return collect(runners, policy, frames)
        case Evaluate(policy, episodes, horizon):
            return evaluate(runners, policy, episodes, horizon)
        case GetState():
            return [runner.state() for runner in runners]
        case SetState(states):
            for runner, state in zip(runners, states, strict=True):
                runner.restore(state)
            return None


def _failure(error: Exception) -> Failure:
    if isinstance(error, MustError):
        return Failure(str(error), expected=True)
    return Failure(f"{type(error).__name__}: {error}", expected=False)


def _die_with(parent: int) -> None:
    """Have Linux kill this process when its parent dies, so that a killed run leaves no orphans at work."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 is PR_SET_PDEATHSIG
    if os.getppid() != parent:  # it died before the request above
        sys.exit(1)
