"""Whole runs of seconds, started as a user starts them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.helpers import SMALL, merged
from tests.support.processes import must_command

Must = Callable[..., "subprocess.CompletedProcess[str]"]


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
