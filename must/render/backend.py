"""Which OpenGL MuJoCo draws with.

MuJoCo reads the variable MUJOCO_GL once, when it is imported, and a library that cannot draw fails only then. So each
one is tried in a process of its own, before this process imports MuJoCo. (Nothing here imports it.)
"""

from __future__ import annotations

import os
import subprocess
import sys

from must.drawing import VARIABLE
from must.errors import RenderError

HEADLESS = ("egl", "osmesa") if sys.platform == "linux" else ("enable",)
"""Values of the variable that draw without a screen, the faster first; elsewhere than on Linux there is one only."""
INSTALL = "install one (Debian: apt-get install libegl1 libgl1-mesa-dri libopengl0, or libosmesa6)"
TIMEOUT = 120.0
"""Seconds after which a library is taken for hung; a second is usual."""

_DRAW = """
import sys
try:
    import mujoco
    model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>")
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    renderer = mujoco.Renderer(model, 16, 16)
    renderer.update_scene(data)
    assert renderer.render().any(), "the picture is black"
    renderer.close()
except Exception as error:
    print(f"{type(error).__name__}: {error}")
    sys.exit(1)
"""


def find_backend() -> str:
    """Return the value of MUJOCO_GL to draw with: the user's own, else the first that works.

    Raises:
        RenderError: The user's own does not work, or none does; the message says what to install.
    """
    asked = os.environ.get(VARIABLE, "").strip()
    if asked:
        problem = _try(asked)
        if problem:
            raise RenderError(f"{VARIABLE}={asked}: cannot draw ({problem}); unset it, or {INSTALL}")
        return asked
    problems = []
    for name in HEADLESS:
        problem = _try(name)
        if not problem:
            return name
        problems.append(f"{name}: {problem}")
    raise RenderError(f"no OpenGL library that draws without a screen ({'; '.join(problems)}): {INSTALL}")


def _try(name: str) -> str:
    """Draw a sphere in another process; return what is wrong, or nothing when it worked."""
    environment = {**os.environ, VARIABLE: name}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _DRAW], env=environment, capture_output=True, text=True, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return f"no picture within {TIMEOUT:.0f} s"
    if done.returncode == 0:
        return ""
    return " ".join(done.stdout.split()) or f"exit status {done.returncode}"
