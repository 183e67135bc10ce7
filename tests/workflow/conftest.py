"""Real Snakemake on copies of configurations, in directories of its own: nothing is written to the repository."""

from __future__ import annotations

import copy
import fcntl
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.workflow import Workflow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    """Return a workflow that has not run yet."""
    directory = tmp_path / "work"
    directory.mkdir()
    return Workflow(directory)


@pytest.fixture(scope="session")
def smoke_config() -> dict[str, Any]:
    """Return the settings of the smoke experiment."""
    settings: dict[str, Any] = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text(encoding="utf-8"))
    return settings


@pytest.fixture
def smoke(smoke_config: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of the settings of the smoke experiment that a test may change."""
    return copy.deepcopy(smoke_config)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, smoke_config: dict[str, Any]) -> Workflow:
    """Return a workflow that trained the whole smoke experiment for real. Tests only look at it and plan on it."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # of all workers: the first to come here trains, the others wait
    directory = base / "finished" / "work"
    directory.mkdir(parents=True, exist_ok=True)
    workflow = Workflow(directory)
    with (base / "finished.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.fstat(lock.fileno()).st_size:
            profile = str(ROOT / "workflow" / "profiles" / "local")
            done = workflow.snakemake("--profile", profile, "--cores", "2", config=smoke_config)
            assert done.returncode == 0, done.stdout + done.stderr
            lock.write("done\n")
    return workflow
