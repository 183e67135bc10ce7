"""How fast the runs of a sweep are, measured on this machine in seconds, by a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from must import __version__
from must.config import RunConfig
from must.environment import THREAD_VARIABLES, cores_here
from must.files import write_atomically
from must.sweep.estimate import Speed, kind
from must.sweep.tails import changed, json_object

Kind = tuple[str, ...]
"""What the speed of a run depends on; see `kind`."""
KEPT_SECONDS = 24 * 3600.0
"""How long a measurement counts: other work comes and goes."""

GRACE = 4.0
"""Seconds that the process may need beyond those that it is told: a measurement that has begun is finished."""


def measure(configs: Sequence[RunConfig], seconds: float) -> dict[Kind, Speed]:
    """Measure runs of each kind, as many as there is time for; return what was found: kind -> speed.

    What was measured on this machine within a day is not measured again. What cannot be measured, for whatever reason,
    is not there: an estimate is no reason to fail.

    Args:
        configs: Settings of runs.
        seconds: Time to measure for, the start of the process included.
    """
    wanted = {kind(config): config for config in reversed(configs)}
    known = _read_known()
    found = {key: known[_name(key)] for key in wanted if _name(key) in known}
    left = [key for key in wanted if key not in found]
    order = sorted(left, key=lambda key: _rank(left, key))
    lines = _ask([wanted[key] for key in order], seconds) if order and seconds > 0 else []
    fresh = dict(zip(order, lines, strict=False))
    if fresh:
        _write_known(known | {_name(key): speed for key, speed in fresh.items()})
    return found | fresh


def _ask(configs: Sequence[RunConfig], seconds: float) -> list[Speed]:
    """Return what a process of its own measures of the first of some configurations."""
    asked = {"seconds": seconds, "configs": [config.model_dump(mode="json") for config in configs]}
    command = [sys.executable, "-m", "must.speed"]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    env = os.environ | dict.fromkeys(THREAD_VARIABLES, "1")  # as workers have them
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing, text=True, env=env)
    try:
        output, _ = process.communicate(json.dumps(asked), timeout=seconds + GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    found: list[Speed] = []
    with suppress(ValueError, TypeError):  # the line that was being written
        for line in output.splitlines():
            found.append(Speed.of(json.loads(line)))  # noqa: PERF401 - those before a torn line count
    return found


def _known_file() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "must", "speed.json")


def _read_known() -> dict[str, Speed]:
    """Return what was measured on this machine within a day, by the name of its kind."""
    path = _known_file()
    if time.time() - changed(path) > KEPT_SECONDS:
        return {}
    try:
        return {str(name): Speed.of(values) for name, values in json_object(path).items()}
    except (TypeError, AttributeError):
        return {}


def _write_known(speeds: Mapping[str, Speed]) -> None:
    path, text = _known_file(), json.dumps({name: asdict(speed) for name, speed in speeds.items()})
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda file: file.write(text.encode()))


def _name(key: Kind) -> str:
    """Return a name of a kind on this machine, with this software."""
    text = repr((key, platform.node(), cores_here(), sys.version, __version__))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def nearest(speeds: dict[Kind, Speed], config: RunConfig) -> Speed | None:
    """Return the speed of a run's kind, or that of the most similar one that was measured."""
    wanted = kind(config)
    if not speeds:
        return None
    return speeds.get(wanted) or speeds[max(speeds, key=lambda key: len({*key} & {*wanted}))]


def _rank(kinds: list[Kind], key: Kind) -> int:
    """Number the kinds so that one of each method comes first."""
    same = [other for other in kinds if other[0] == key[0]]
    return same.index(key)
