"""Runs as processes: what starts one, what it has written, and when."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

FILES = ("eval.csv", "train.csv", "masks.csv", "final.pt", "result.json")
"""What is byte-identical between two runs of the same settings."""


def must_command(*arguments: Any) -> list[str]:
    return [sys.executable, "-m", "must.cli", *map(str, arguments)]


def contents(directory: Path, files: Sequence[str] = FILES) -> dict[str, bytes]:
    return {name: (directory / name).read_bytes() for name in files}


def wait_for(process: subprocess.Popen[Any], condition: Callable[[], bool], seconds: float = 240) -> None:
    """Wait until something is so, or the process has ended."""
    for _ in range(int(seconds / 0.005)):
        if condition() or process.poll() is not None:
            return
        time.sleep(0.005)
    raise AssertionError("it did not happen")


def epochs_logged(path: Path) -> int:
    """Return the number of rows of a CSV log."""
    return path.read_bytes().count(b"\n") - 1 if path.exists() else 0
