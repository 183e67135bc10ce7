"""What a check finds, and how programs of the system are asked."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import Literal

GIB = 2**30
TIMEOUT = 20.0
"""Seconds after which a program of the system is taken for hung."""

State = Literal["ok", "optional", "problem"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    """``ok``; ``optional``: missing, and needed for some uses only; ``problem``: training cannot work like this."""
    found: str
    mend: str = ""
    """What to do about it; empty when nothing needs doing."""


def ask(*command: str) -> str | None:
    """Return what a program prints, or None when it is not there, fails or hangs."""
    if shutil.which(command[0]) is None:
        return None
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
