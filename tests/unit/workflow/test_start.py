"""A Ctrl-C while Snakemake is being imported."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.helpers import ROOT


def test_it_is_answered_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "snakemake").mkdir()
    (tmp_path / "snakemake" / "__init__.py").touch()
    (tmp_path / "snakemake" / "cli.py").write_text("raise KeyboardInterrupt\n", encoding="utf-8")
    command = [sys.executable, "-m", "must.workflow.start", "--version"]
    env = os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr == "must: stopped; nothing had been started\n"


def test_else_it_is_snakemake() -> None:
    command = [sys.executable, "-m", "must.workflow.start", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()[0].isdigit()
