"""A terminal that is closed under a run: all its processes are told by SIGHUP, and its output goes nowhere."""

import json

from tests.support.processes import epochs_logged, must_command, wait_for
from tests.support.terminal import Terminal


def test_a_closed_terminal_ends_a_run_with_a_checkpoint(config_file, tmp_path):
    """That such a run goes on to the same bytes: test_resume.py, by the other signals."""
    out = tmp_path / "run"
    command = must_command("train", "--config", config_file(training={"epochs": 2000}), "--out", out)
    terminal = Terminal(command, tmp_path)
    wait_for(terminal, lambda: epochs_logged(out / "train.csv") >= 1)
    assert terminal.close() == 75
    assert list((out / "checkpoints").glob("*.json"))
    assert json.loads((out / "manifest.json").read_text())["state"] == "interrupted"
