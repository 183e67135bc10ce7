"""Whether MuJoCo may draw. It reads the variable once, when it is imported, and fails then where it cannot."""

from __future__ import annotations

from contextlib import AbstractContextManager

from must.environment import variables

VARIABLE = "MUJOCO_GL"
NOTHING = "disable"
"""The value with which MuJoCo loads no OpenGL library."""


def disabled() -> AbstractContextManager[None]:
    """Let MuJoCo be imported, here and in processes that are started, without OpenGL: whatever the variable says."""
    return variables({VARIABLE: NOTHING})
