"""The command line as a whole: what is typed wrongly, and what is stopped."""

from __future__ import annotations

from typing import NoReturn

import pytest

from must import __version__, train_commands
from must.cli import main
from must.sweep import plan_command

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
