"""The command line as a whole: what is typed wrongly, and what is stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from must import __version__, train_commands
from must.cli import main
from must.sweep import plan_command
from tests.support.helpers import ROOT

CONFIG_AND_OUT = ("--config", "x.yaml", "--out", "x")


def stop(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"must {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", *CONFIG_AND_OUT, "--seeds", "3"], "unrecognized arguments: --seeds 3; did you mean '--seed'?"),
        (["figures", "--config", "x", "--widht=page"], "unrecognized arguments: --widht=page; did you mean '--width'?"),
        (["status", "-x"], "unrecognized arguments: -x"),
        (["plan", "x.yaml", "y.yaml"], "unrecognized arguments: y.yaml"),
    ],
)
def test_of_an_option_that_a_command_does_not_have_it_complains_itself(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"usage: must {arguments[0]} ")
    assert errors.endswith(f"must {arguments[0]}: error: {message}\n")


def test_only_what_trains_says_how_training_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plan_command, "main", stop)
    assert main(["plan", "x.yaml"]) == 130
    assert capsys.readouterr().err == "must: stopped\n"
    monkeypatch.setattr(train_commands, "_run_settings", stop)
    assert main(["train", *CONFIG_AND_OUT]) == 130
    assert capsys.readouterr().err == "must: stopped at once; training goes on from the last checkpoint\n"


def test_an_interrupt_while_modules_are_imported_is_no_error_to_trace(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # tests in the background are to ignore it
        "class Interrupt:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'must.config':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupt())\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "must", "--version"]
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "must: stopped\n")
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("must ")
