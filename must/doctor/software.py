"""What is installed: Python, packages as they are locked, and whether they work."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from importlib import metadata

from must import drawing
from must.doctor.check import Check
from must.errors import RenderError
from must.versions import locked_versions, other_packages

PYTHONS = ((3, 11), (3, 13))


def python() -> Check:
    """Compare the version of Python with those that work."""
    version = platform.python_version()
    if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        return Check("Python", "ok", version)
    first, last = (".".join(map(str, each)) for each in PYTHONS)
    return Check("Python", "problem", version, f"make setup PYTHON=/path/to/python{first} ({first} to {last} work)")


def package(name: str) -> Check:
    """Import a package that training needs, and compare its version with the lock's."""
    importlib.import_module(name)
    version, locked = metadata.version(name), locked_versions().get(name)
    # The local part of a version names the build (2.13.0+cpu), not the code.
    if locked is not None and version.partition("+")[0] != locked:
        return Check(name, "problem", f"{version}, but {locked} is locked", "run make setup")
    return Check(name, "ok", version)


def tool(name: str, package: str, use: str) -> Check:
    """Find a package that only the workflow needs, without importing it."""
    mend = f"for {use}: run make setup"
    try:
        version = metadata.version(package)
    except metadata.PackageNotFoundError:
        return Check(name, "optional", "not installed", mend)
    locked = locked_versions().get(package, version)
    if version != locked:
        return Check(name, "optional", f"{version}, but {locked} is locked", mend)
    return Check(name, "ok", version)


def packages() -> Check:
    """Hold all packages against the lock, and their places against the environment's."""
    found = other_packages()
    if found:
        return Check(
            "packages", "optional", "; ".join(found), "for the locked results: unset PYTHONPATH, run make setup"
        )
    return Check("packages", "ok", "as locked" if locked_versions() else "no lock to compare with")


def simulator() -> Check:
    """Step a real environment: that needs MuJoCo's library, Meta-World's files and everything they import."""
    import numpy as np

    from must.envs import TaskEnv, TaskGoals

    environment = TaskEnv(TaskGoals("reach-v3", seed=1), "v2")
    environment.reset(0)
    environment.step(np.zeros(4, dtype=np.float32))
    return Check("simulator", "ok", "MuJoCo steps Meta-World's reach-v3")


def opengl() -> Check:
    """Draw a sphere, in another process."""
    from must.render import find_backend

    use = "for must render and a report's clips (training draws nothing): "
    try:
        return Check("OpenGL", "ok", f"draws with {drawing.VARIABLE}={find_backend()}")
    except RenderError as error:
        found, _, mend = str(error).rpartition("; " if os.environ.get(drawing.VARIABLE) else ": ")
        return Check("OpenGL", "optional", found, use + mend)
