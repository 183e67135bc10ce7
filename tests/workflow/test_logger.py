"""What a user sees of a sweep: a bar and a line for each run on a real terminal, plain lines elsewhere."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from must.locks import LOCK, Owner
from tests.support.helpers import ROOT
from tests.support.processes import epochs_logged, wait_for
from tests.support.terminal import Terminal
from tests.support.workflow import Workflow

RUN = "pruning_ratio~0/update_interval~na/seed~0"
PLACE = f"results/smoke/runs/{RUN}"
PROFILE = str(ROOT / "workflow" / "profiles" / "local")
ENV = os.environ | {"TERM": "xterm", "COLUMNS": "100", "LINES": "30"}


@pytest.fixture
def one(smoke: dict[str, Any]) -> dict[str, Any]:
    """Return the smoke experiment with a single run, long enough to be watched."""
    smoke["sweep"] = {"seeds": [0], "pruning_ratios": [0]}
    smoke["training"]["epochs"] = 60
    return smoke


def start(place: Path, config: dict[str, Any]) -> Terminal:
    (place / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--profile", PROFILE]
    command += ["--cores", "1", "--configfile", "config.yaml", "--", f"{PLACE}/result.json"]
    env = ENV | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return Terminal(command, place, env)


def test_a_terminal_shows_how_far_each_run_is(tmp_path: Path, one: dict[str, Any]) -> None:
    terminal = start(tmp_path, one)
    assert terminal.wait() == 0, terminal.text
    assert "0 of 1 runs" in terminal.text
    assert f"finished: {RUN}, success " in terminal.text
    epochs = [line for line in terminal.text.splitlines() if RUN in line and "/61" in line]
    assert epochs
    assert any(" left" in line and "success" in line for line in epochs)
    assert "Reason:" not in terminal.text
    (log,) = (tmp_path / ".snakemake" / "log").glob("*.snakemake.log")
    assert "Reason:" in log.read_text(encoding="utf-8")


def test_ctrl_c_on_a_terminal_leaves_a_checkpoint_and_a_usable_screen(tmp_path: Path, one: dict[str, Any]) -> None:
    one["training"]["epochs"] = 100_000
    terminal = start(tmp_path, one)
    wait_for(terminal, lambda: epochs_logged(tmp_path / PLACE / "train.csv") >= 2)  # type: ignore[arg-type]
    terminal.press(b"\x03")
    assert terminal.wait() == 1, terminal.text
    assert json.loads((tmp_path / PLACE / "manifest.json").read_text())["state"] == "interrupted"
    assert "failed" not in terminal.text
    assert "WorkflowError" not in terminal.text
    assert re.search(rf"stopped: {RUN}, at epoch \d+ of 100001; it goes on from there", terminal.text)
    assert terminal.text.splitlines()[-1].startswith("go on with: snakemake "), terminal.text
    assert list((tmp_path / PLACE / "checkpoints").glob("*.json"))
    assert json.loads((tmp_path / "results/smoke/invocation.json").read_text())["ended"]
    assert terminal.shown.rfind(b"\x1b[?25h") > terminal.shown.rfind(b"\x1b[?25l"), "the cursor is hidden"


def test_a_second_ctrl_c_is_answered_in_one_sentence_and_loses_no_checkpoint(
    tmp_path: Path, one: dict[str, Any]
) -> None:
    one["training"]["epochs"] = 100_000
    terminal = start(tmp_path, one)
    wait_for(terminal, lambda: epochs_logged(tmp_path / PLACE / "train.csv") >= 2)  # type: ignore[arg-type]
    training = Owner.read(tmp_path / PLACE / LOCK)
    assert training is not None
    os.kill(training.pid, signal.SIGSTOP)  # it takes its time to stop
    try:
        terminal.press(b"\x03")
        wait_for(terminal, lambda: "Terminating processes" in terminal.text)  # type: ignore[arg-type]
        terminal.press(b"\x03")
        wait_for(terminal, lambda: "must: stopping at once" in terminal.text)  # type: ignore[arg-type]
    finally:
        os.kill(training.pid, signal.SIGCONT)
    assert terminal.wait() == 1, terminal.text
    assert "Traceback" not in terminal.text
    assert "Exception" not in terminal.text
    assert list((tmp_path / PLACE / "checkpoints").glob("*.json"))
    assert not list((tmp_path / ".snakemake" / "locks").glob("*.lock"))
    assert json.loads((tmp_path / "results/smoke/invocation.json").read_text())["ended"]


def test_without_a_terminal_there_are_lines_and_errors_reach_the_user(
    workflow: Workflow, smoke: dict[str, Any]
) -> None:
    smoke["sweep"] = {"seeds": [0, 1], "pruning_ratios": [0]}
    (workflow.directory / PLACE).mkdir(parents=True)
    (workflow.directory / PLACE / "notes.txt").touch()
    done = workflow.snakemake("--profile", PROFILE, "--cores", "1", config=smoke)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert any("finished: pruning_ratio~0/update_interval~na/seed~1" in line for line in lines), done.stderr
    failed = next(number for number, line in enumerate(lines) if f"failed: {RUN}: must: {PLACE}: holds files" in line)
    assert lines[failed + 1].endswith(f"log: results/smoke/logs/train/{RUN}.log")
    assert re.search(r"go on with: snakemake .*--cores 1", lines[-1])


def test_an_old_interruption_does_not_hide_why_a_run_fails_now(workflow: Workflow, smoke: dict[str, Any]) -> None:
    smoke["sweep"] = {"seeds": [0], "pruning_ratios": [0]}
    place = workflow.directory / PLACE
    place.mkdir(parents=True)
    (place / "notes.txt").touch()
    (place / "manifest.json").write_text('{"state": "interrupted"}', encoding="utf-8")
    done = workflow.snakemake("--profile", PROFILE, "--cores", "1", config=smoke)
    assert f"failed: {RUN}: must: {PLACE}: holds files" in done.stderr
    assert "stopped:" not in done.stderr
    assert "\x1b" not in done.stderr


def test_a_dry_run_is_shown_as_ever(workflow: Workflow, smoke: dict[str, Any]) -> None:
    options = ("--dry-run", "--cores", "1")
    with_it = workflow.snakemake("--logger", "must", *options, config=smoke)
    without = workflow.snakemake(*options, config=smoke)
    assert with_it.returncode == without.returncode == 0
    assert lasting(with_it.stdout) == lasting(without.stdout)
    assert len(lasting(without.stdout)) >= 8


def lasting(text: str) -> list[str]:
    """Return the lines that are the same in every invocation, in any order: jobs, their number, how it ends."""
    return sorted(line for line in text.splitlines() if line.startswith(("Job ", "train ", "total ", "This was")))
