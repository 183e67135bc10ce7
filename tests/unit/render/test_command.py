"""What `must render` refuses before it draws anything, with a message that helps."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from must.cli import main
from must.config import dump
from must.errors import MustError, RenderError
from must.render import Request, find_backend, render
from must.render.backend import HEADLESS
from must.render.command import check_form
from tests.support.helpers import small_config


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A directory that looks like a finished run, to whoever does not load its policy."""
    directory = tmp_path / "run"
    directory.mkdir()
    (directory / "config.yaml").write_text(dump(small_config()), encoding="utf-8")
    (directory / "final.pt").touch()
    return directory


@pytest.mark.parametrize("out", ["clip", "clip.avi", "clip.mp4.txt"])
def test_the_ending_decides_the_format(run: Path, out: str) -> None:
    with pytest.raises(RenderError, match=rf"--out {out}: .*use \.mp4 or \.gif"):
        render(Request(run, "reach-v3", Path(out)))


@pytest.mark.parametrize("size", ["0", "63", "481", "4096", "640x", "640x480x3", "640,480", "-2"])
def test_a_size_that_no_clip_can_have(size: str) -> None:
    with pytest.raises(RenderError, match=rf"--size {size}: use WIDTHxHEIGHT"):
        check_form(Path("clip.mp4"), size)


def test_sizes() -> None:
    assert check_form(Path("a.mp4"), "") == (480, 480)
    assert check_form(Path("a.GIF"), "") == (320, 320)
    assert check_form(Path("a.gif"), "200") == (200, 200)
    assert check_form(Path("a.mp4"), "640x480") == (640, 480)


def test_an_output_that_is_a_directory(tmp_path: Path) -> None:
    (tmp_path / "clips.gif").mkdir()
    with pytest.raises(RenderError, match="is a directory"):
        check_form(tmp_path / "clips.gif", "")


@pytest.mark.parametrize("task", [None, "door-open-v3"])
def test_a_task_that_the_run_does_not_have(run: Path, task: str | None) -> None:
    with pytest.raises(RenderError, match=r"--task .*: reach-v3, drawer-close-v3, push-v3$"):
        render(Request(run, task, Path("clip.mp4")))


@pytest.mark.parametrize(("goals", "episode"), [("random", 0), ("random", 51), ("fixed", 2)])
def test_an_episode_that_there_is_not(run: Path, goals: str, episode: int) -> None:
    (run / "config.yaml").write_text(dump(small_config(env={"goals": goals})), encoding="utf-8")
    with pytest.raises(RenderError, match=rf"--episode {episode}: .*use 1"):
        render(Request(run, "reach-v3", Path("clip.mp4"), episode=episode))


def test_an_unfinished_run(run: Path) -> None:
    (run / "final.pt").unlink()
    with pytest.raises(MustError, match=r"holds no final\.pt, so no finished run"):
        render(Request(run, "reach-v3", Path("clip.mp4")))


def test_a_finished_run_that_was_shared_without_its_weights(run: Path) -> None:
    (run / "final.pt").unlink()
    (run / "result.json").touch()
    again = re.escape(f"train it again: must train --config {run}/config.yaml --out OTHER")
    with pytest.raises(MustError, match=rf"is finished, but its weights \(final\.pt\) are not here: .*; {again}"):
        render(Request(run, "reach-v3", Path("clip.mp4")))


def test_the_user_s_own_library_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "directx")
    with pytest.raises(RenderError, match=r"MUJOCO_GL=directx: .*invalid value.*unset it, or install .*libegl1"):
        find_backend()


def test_without_any_library_nothing_is_written(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr("must.render.backend._try", lambda name: f"lib{name}.so: not found")
    before = sorted(run.parent.rglob("*"))
    out = run.parent / "clips" / "clip.mp4"
    assert main(["render", str(run), "--task", "reach-v3", "--out", str(out)]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    for text in (*(f"lib{name}.so: not found" for name in HEADLESS), "apt-get install libegl1", "libosmesa6"):
        assert text in message
    assert sorted(run.parent.rglob("*")) == before
    assert "MUJOCO_GL" not in os.environ


def test_the_first_library_that_works_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr("must.render.backend._try", lambda name: "" if name == HEADLESS[-1] else "not found")
    assert find_backend() == HEADLESS[-1]
