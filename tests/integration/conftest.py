"""Whole runs of seconds, started as a user starts them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers import SMALL, merged

FILES = ("eval.csv", "train.csv", "masks.csv", "final.pt", "result.json")
"""What is byte-identical between two runs of the same settings."""

Must = Callable[..., "subprocess.CompletedProcess[str]"]


def must_command(*arguments: Any) -> list[str]:
    return [sys.executable, "-m", "must.cli", *map(str, arguments)]


@pytest.fixture
def must(tmp_path: Path) -> Must:
    """Run ``must`` with arguments in an empty directory; return what it printed and its exit status."""

    def run(*arguments: Any, check: int | None = 0, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            must_command(*arguments), cwd=tmp_path, capture_output=True, text=True, timeout=timeout, env=os.environ
        )
        assert check is None or done.returncode == check, done.stderr
        return done

    return run


@pytest.fixture
def config_file(tmp_path: Path) -> Callable[..., Path]:
    """Write the small configuration, with some keys changed, to a file."""

    def write(**sections: Any) -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(merged(SMALL, sections)))
        return path

    return write


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
