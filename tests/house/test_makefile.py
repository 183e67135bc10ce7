"""The make targets: listed, described, and strict about what they are given before they do anything."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.helpers import ROOT


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_help_is_the_default_and_names_what_a_newcomer_needs() -> None:
    done = make(ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout == make(ROOT, "help").stdout
    listed = set(re.findall(r"^  ([a-z-]+) +\S", done.stdout, re.MULTILINE))
    assert {"setup", "reproduce", "figures", "report", "test", "lint", "docs-site"} <= listed


@pytest.mark.parametrize("target", ["reproduce", "figures", "paper"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["CONFIG=config/nope.yaml"], "make: CONFIG=config/nope.yaml: no such file"),
        (["PROFILE=workflow/profiles/nope"], "make: PROFILE=workflow/profiles/nope: no such folder"),
        (["STYLE=nope"], "make: STYLE=nope: write conference or plain"),
    ],
)
def test_missing_inputs_are_told_before_the_set_up(
    tmp_path: Path, target: str, arguments: list[str], message: str
) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    before = sorted(tmp_path.rglob("*"))
    done = make(tmp_path, target, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"env: {benchmark: MT10}\nenv: {benchmark: MT25}\n", "bad.yaml: line 2: 'env' is there twice"),
        (b"env:\n\tbenchmark: MT10\n", "bad.yaml: line 2: "),
        (b"name: caf\xe9\n", "bad.yaml: line 1: "),
        (b"", "bad.yaml: "),
        (b"env: {benchmark: MT10}\nsac: {lrr: 1}\n", "bad.yaml: line 2: sac.lrr: unknown key"),
    ],
)
def test_reproduce_names_the_file_and_the_line(tmp_path: Path, content: bytes, place: str) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(content)
    done = make(ROOT, "--old-file=setup", "reproduce", f"CONFIG={bad}")
    assert done.returncode == 2
    assert done.stderr.startswith(f"must: {tmp_path}/{place}")
    assert "Traceback" not in done.stderr
