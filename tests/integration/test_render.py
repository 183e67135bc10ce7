"""Clips of a real run, drawn for real, without a screen."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
import yaml
from PIL import Image, ImageSequence

from tests.support.helpers import SMALL, merged
from tests.support.processes import must_command

pytestmark = pytest.mark.system

HORIZON, JUDGED = 140, 150
"""Steps of an episode of training, and of the last evaluation."""
TASK = "drawer-close-v3"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, of seconds, with masks and random goals."""
    directory = tmp_path_factory.mktemp("render")
    training = {"epochs": 2, "epoch_frames": HORIZON}
    changes = {"env": {"horizon": HORIZON}, "training": training, "sac": {"buffer_size": 3000}}
    settings = merged(SMALL, changes | {"evaluation": {"final_horizon": JUDGED}})
    config = directory / "config.yaml"
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    run_must("train", "--config", config, "--out", directory / "run")
    return directory / "run"


def run_must(*arguments: Any) -> str:
    env = {key: value for key, value in os.environ.items() if key != "MUJOCO_GL"}
    command = must_command(*arguments)
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def frames_of(gif: Path) -> list[np.ndarray]:
    with Image.open(gif) as image:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]


def test_an_mp4_shows_every_step_in_real_time(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "new folder" / "clip.mp4"
    said = run_must("render", run, "--task", TASK, "--out", out, "--size", "160x128", "--episode", 3)
    assert re.fullmatch(rf"{re.escape(str(out))}: {TASK}, (solved at step \d+ of|not solved in) 150 steps, .*\n", said)
    assert [path.name for path in out.parent.iterdir()] == ["clip.mp4"]

    reader = imageio_ffmpeg.read_frames(str(out))
    about = next(reader)
    frames = [np.frombuffer(frame, np.uint8).reshape(128, 160, 3).astype(int) for frame in reader]
    assert (about["size"], about["fps"], about["codec"]) == ((160, 128), 80.0, "h264")
    assert len(frames) == JUDGED + 1
    for frame in (frames[0], frames[-1]):
        assert 40 < frame.mean() < 220
        assert frame.std() > 20
    assert np.abs(frames[0] - frames[-1]).mean() > 1


def test_a_gif_is_small_and_the_same_each_time(run: Path, tmp_path: Path) -> None:
    outs = [tmp_path / f"{name}.gif" for name in "ab"]
    for out in outs:
        run_must("render", run, "--task", TASK, "--out", out)
    first, second = (out.read_bytes() for out in outs)
    assert first == second
    assert len(first) < 1_500_000
    frames = frames_of(outs[0])
    assert frames[0].shape == (320, 320, 3)
    assert 30 < len(frames) <= 38  # Pillow puts equal frames together
    assert any((frame != frames[0]).any() for frame in frames)
    with Image.open(outs[0]) as image:
        assert image.info["duration"] % 50 == 0


def test_what_is_filmed_is_an_evaluation_episode(run: Path, tmp_path: Path) -> None:
    evaluated = json.loads(run_must("evaluate", run, "--episodes", 1, "--json"))
    said = run_must("render", run, "--task", TASK, "--out", tmp_path / "clip.gif", "--size", 64)
    assert said.endswith(f"return {evaluated['return'][TASK]:.2f}\n")
    assert ("not solved" in said) == (evaluated["success"][TASK] == 0)
