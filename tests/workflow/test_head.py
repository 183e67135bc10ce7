"""A head that is killed as the kernel does when memory is short: the same command goes on."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.helpers import ROOT

RUN = "results/smoke/runs/pruning_ratio~0/update_interval~na/seed~0"


class Heads:
    """Snakemake in a directory of its own, started again and again with one command."""

    def __init__(self, directory: Path, config: dict[str, Any]) -> None:
        (directory / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self.directory = directory
        self.command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "1"]
        self.command += ["--rerun-incomplete", "--configfile", "config.yaml", "--", f"{RUN}/result.json"]
        self.started: list[subprocess.Popen[str]] = []

    def start(self) -> subprocess.Popen[str]:
        """Start one in a session of its own."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        head = subprocess.Popen(self.command, cwd=self.directory, text=True, start_new_session=True, **pipes)
        self.started.append(head)
        return head

    def end(self) -> None:
        """Kill all of them and what they have started."""
        for head in self.started:
            try:
                os.killpg(head.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            head.communicate()


@pytest.fixture
def heads(tmp_path: Path, smoke: dict[str, Any]) -> Iterator[Heads]:
    """Return heads that would train for hours."""
    smoke["sweep"] = {"seeds": [0], "pruning_ratios": [0]}
    smoke["training"]["epochs"] = 1_000_000
    heads = Heads(tmp_path, smoke)
    yield heads
    heads.end()


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(24000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it did not happen")


def read_until(head: subprocess.Popen[str], pattern: str) -> str:
    """Read what a head prints until a line matches; return that line."""
    assert head.stdout is not None
    lines = []
    for line in head.stdout:
        lines.append(line)
        if re.search(pattern, line):
            return line.strip()
    raise AssertionError("".join(lines))


@pytest.mark.slow
def test_the_same_command_goes_on_after_a_kill_of_the_head(heads: Heads) -> None:
    log = heads.directory / RUN / "train.csv"
    first = heads.start()
    wait_until(lambda: log.exists() and log.read_bytes().count(b"\n") >= 3)
    first.kill()
    first.wait()

    second = heads.start()
    read_until(second, rf"process {first.pid} on .*goes on")
    stop = read_until(second, r"^ +kill \d+$")  # the run that the first one has left at work
    subprocess.run(shlex.split(stop), check=True)
    read_until(second, "Execute 1 jobs")


def test_locks_of_which_nothing_is_known_are_told_with_the_command_that_removes_them(heads: Heads) -> None:
    locks = heads.directory / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text(f"{RUN}/result.json\n", encoding="utf-8")
    refused = heads.start()
    command = read_until(refused, r"--unlock ")
    text, _ = refused.communicate()
    assert refused.returncode == 1
    assert "LockException" in text
    done = subprocess.run(shlex.split(command), cwd=heads.directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(locks.glob("*.lock"))
