"""``must render``: what is asked for is checked before anything slow is loaded or drawn."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from must.config import EnvConfig, load_experiment
from must.drawing import VARIABLE
from must.environment import THREAD_VARIABLES
from must.errors import RenderError
from must.render.backend import find_backend
from must.run_files import CONFIG, final_policy

FORMATS = {".mp4": (480, 480), ".gif": (320, 320)}
"""Ending of a clip -> its size when none is asked for, (width, height) in pixels."""
SMALLEST, LARGEST = 64, 2048
"""Pixels of a side."""


@dataclass(frozen=True)
class Request:
    """A clip that was asked for, as it was typed."""

    run_dir: Path
    """Directory of a finished run."""
    task: str | None
    """One of its tasks."""
    out: Path
    """The clip to write; its ending decides the format."""
    size: str = ""
    """``WIDTHxHEIGHT`` in pixels, or one number for both; empty for what fits the format."""
    episode: int = 1
    """Which episode of the run's evaluations, from 1; with fixed goals there is one."""


@dataclass(frozen=True)
class Clip:
    """A clip that was written."""

    path: str
    task: str
    solved: bool
    """Whether the episode solved the task."""
    outcome: str
    """How it ended, in words."""

    def __str__(self) -> str:
        return f"{self.path}: {self.task}, {self.outcome}"


def render(request: Request) -> Clip:
    """Film an episode, and write the clip as a whole or not at all; return how the episode ended.

    Call it before MuJoCo and numpy are imported: both read their settings once.

    Raises:
        RunDirectoryError: The directory does not hold a finished run.
        RenderError: The run has no such task, the clip cannot be of that form, or this machine cannot draw.
    """
    size = check_form(request.out, request.size)
    final_policy(request.run_dir)
    env = load_experiment(request.run_dir / CONFIG).env
    task = check_task(request, env)
    os.environ[VARIABLE] = find_backend()
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    from must.render.encode import write_clip
    from must.render.film import Film

    film = Film(request.run_dir, task, request.episode - 1, size)
    write_clip(request.out, film)
    return Clip(str(request.out), env.task_names[task], film.solved, film.outcome)


def check_form(out: Path, size: str) -> tuple[int, int]:
    """Return the (width, height) in pixels of a clip, by what was asked for and by its format.

    Raises:
        RenderError: No such format, or no such size.
    """
    if out.suffix.lower() not in FORMATS:
        raise RenderError(f"--out {out}: the ending decides the format; use {' or '.join(FORMATS)}")
    if out.is_dir():
        raise RenderError(f"--out {out}: is a directory; name a file in it")
    if not size:
        return FORMATS[out.suffix.lower()]
    match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", size)
    width, height = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not all(SMALLEST <= side <= LARGEST and side % 2 == 0 for side in (width, height)):
        raise RenderError(
            f"--size {size}: use WIDTHxHEIGHT in pixels, such as 640x480: even numbers from {SMALLEST} to {LARGEST}"
        )
    return width, height


def check_task(request: Request, env: EnvConfig) -> int:
    """Return the index of the task in the run's one-hot.

    Raises:
        RenderError: None was named, the run has no such task, or the task has no such evaluation episode.
    """
    names = ", ".join(env.task_names)
    if request.task is None:
        raise RenderError(f"--task is missing: name one of the tasks of {request.run_dir}: {names}")
    if request.task not in env.task_names:
        raise RenderError(f"--task {request.task}: not a task of {request.run_dir}, which has: {names}")
    if env.goals == "fixed" and request.episode != 1:
        raise RenderError(f"--episode {request.episode}: with fixed goals all episodes are the same one; use 1")
    if not 1 <= request.episode <= 50:
        raise RenderError(f"--episode {request.episode}: Meta-World has 50 train goals a task; use 1 to 50")
    return env.task_names.index(request.task)
