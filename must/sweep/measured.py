"""How fast the runs of a sweep are, measured on this machine in seconds, by a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from must.config import RunConfig
from must.sweep.estimate import Speed, kind

GRACE = 4.0
"""Seconds that the process may need beyond those that it is told: a measurement that has begun is finished."""


def measure(configs: Sequence[RunConfig], seconds: float) -> dict[tuple[Any, ...], Speed]:
    """Measure runs of each kind, as many as there is time for; return what was found: kind -> speed.

    What cannot be measured, for whatever reason, is not there: an estimate is no reason to fail.

    Args:
        configs: Settings of runs.
        seconds: Time to measure for, the start of the process included.
    """
    wanted = {kind(config): config for config in reversed(configs)}
    order = sorted(wanted, key=lambda key: _rank(list(wanted), key))
    asked = {"seconds": seconds, "configs": [wanted[key].model_dump(mode="json") for key in order]}
    command = [sys.executable, "-m", "must.speed"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        output, _ = process.communicate(json.dumps(asked), timeout=seconds + GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    found = {}
    for key, line in zip(order, output.splitlines(), strict=False):
        try:
            found[key] = Speed.of(json.loads(line))
        except (ValueError, TypeError):  # the line that was being written
            break
    return found


def nearest(speeds: dict[tuple[Any, ...], Speed], config: RunConfig) -> Speed | None:
    """Return the speed of a run's kind, or that of the most similar one that was measured."""
    wanted = kind(config)
    if not speeds:
        return None
    return (
        speeds.get(wanted) or speeds[max(speeds, key=lambda key: sum(a == b for a, b in zip(key, wanted, strict=True)))]
    )


def _rank(kinds: list[tuple[Any, ...]], key: tuple[Any, ...]) -> int:
    """Number the kinds so that one of each method comes first."""
    same = [other for other in kinds if other[0] == key[0]]
    return same.index(key)
