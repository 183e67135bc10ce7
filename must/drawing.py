"""Whether MuJoCo may draw. It reads the variable once, when it is imported, and fails then where it cannot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLE = "MUJOCO_GL"
NOTHING = "disable"
"""The value with which MuJoCo loads no OpenGL library."""


@contextmanager
def disabled() -> Iterator[None]:
    """Let MuJoCo be imported, here and in processes that are started, without OpenGL: whatever the variable says."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = NOTHING
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
