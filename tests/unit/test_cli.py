"""The command line as a whole: what is said when it is stopped."""

from __future__ import annotations

from typing import NoReturn

import pytest

from must import train_commands
from must.cli import main
from must.sweep import plan_command

CONFIG_AND_OUT = ("--config", "x.yaml", "--out", "x")


def stop(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def test_only_what_trains_says_how_training_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plan_command, "main", stop)
    assert main(["plan", "x.yaml"]) == 130
    assert capsys.readouterr().err == "must: stopped\n"
    monkeypatch.setattr(train_commands, "_run_settings", stop)
    assert main(["train", *CONFIG_AND_OUT]) == 130
    assert capsys.readouterr().err == "must: stopped at once; training goes on from the last checkpoint\n"
