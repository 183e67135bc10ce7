"""``must doctor``: what this machine has, what it lacks, and how to mend that.

Nothing of the training is imported at the top: the command is for machines on which such an import fails.
"""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import must
from must import drawing
from must.environment import cores_here
from must.errors import RenderError
from must.files import nearest
from must.streams import guarded, quiet_console
from must.versions import locked_versions, other_packages

PYTHONS = ((3, 11), (3, 13))
GIB = 2**30
DISK_NEEDED, DISK_WANTED = 1 * GIB, 10 * GIB
SHARED_MEMORY_WANTED = 64 * 2**20
IMAGE_SPACE = {"cpu": 4, "cuda": 11}
"""GB of temporary space that Apptainer takes to build an image; containers/build_image.sh wants the same."""
TIMEOUT = 20.0
"""Seconds after which a program of the system is taken for hung."""

State = Literal["ok", "optional", "problem"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    """``ok``; ``optional``: missing, and needed for some uses only; ``problem``: training cannot work like this."""
    found: str
    mend: str = ""
    """What to do about it; empty when nothing needs doing."""


def main() -> int:
    """Print all checks as a table; return the exit status: 0, or 2 if there is a problem."""
    from rich.markup import escape
    from rich.table import Table

    results = checks()
    table = Table("check", "state", "found", "what to do", title=f"must {must.__version__}", title_justify="left")
    colours = {"ok": "green", "optional": "yellow", "problem": "bold red"}
    for check in results:
        table.add_row(check.name, f"[{colours[check.state]}]{check.state}", escape(check.found), escape(check.mend))
    console = quiet_console()
    console.print(table)
    problems = [check.name for check in results if check.state == "problem"]
    if problems:
        console.print(f"Problems that must be mended before training works: {', '.join(problems)}.")
        return 2
    console.print("Everything that training needs is here; 'optional' is needed for the uses named beside it only.")
    return 0


def checks(results: Path = Path("results")) -> list[Check]:
    """Check everything, in the order of a set-up; no check raises.

    Args:
        results: Where the results of experiments lie (or will lie).
    """
    steps: list[tuple[str, Callable[[], Check]]] = [
        ("Python", _python),
        ("torch", lambda: _package("torch")),
        ("mujoco", lambda: _package("mujoco")),
        ("packaging", lambda: _package("packaging")),
        ("metaworld", lambda: _package("metaworld")),
        ("packages", _packages),
        ("simulator", _simulator),
        ("Snakemake", lambda: _tool("Snakemake", "snakemake", "the workflow")),
        ("Slurm plugin", lambda: _tool("Slurm plugin", "snakemake-executor-plugin-slurm", "--profile slurm")),
        ("cluster plugin", lambda: _tool("cluster plugin", "snakemake-executor-plugin-cluster-generic", "Gridengine")),
        ("CPU", _cpu),
        ("GPU", _gpu),
        ("disk", lambda: _disk(results)),
        ("shared memory", _shared_memory),
        ("caches", _caches),
        ("Apptainer", _apptainer),
        ("image space", _image_space),
        ("Slurm", _slurm),
        ("Gridengine", _gridengine),
    ]
    drawing_check = _guarded("OpenGL", _opengl)  # before MuJoCo is imported: it is about the user's own variable
    with drawing.disabled():
        found = [_guarded(name, step) for name, step in steps]
    return [*found, drawing_check]


def _guarded(name: str, step: Callable[[], Check]) -> Check:
    try:
        return step()
    except Exception as error:  # noqa: BLE001 - whatever a broken installation raises is what is to be reported
        mend = "run make setup; if the problem stays, remove .venv and run it again"
        return Check(name, "problem", f"{type(error).__name__}: {error}", mend)


def _python() -> Check:
    version = platform.python_version()
    if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        return Check("Python", "ok", version)
    first, last = (".".join(map(str, each)) for each in PYTHONS)
    return Check("Python", "problem", version, f"make setup PYTHON=/path/to/python{first} ({first} to {last} work)")


def _package(name: str) -> Check:
    """Import a package that training needs, and compare its version with the lock's."""
    importlib.import_module(name)
    version, locked = metadata.version(name), locked_versions().get(name)
    # The local part of a version names the build (2.13.0+cpu), not the code.
    if locked is not None and version.partition("+")[0] != locked:
        return Check(name, "problem", f"{version}, but {locked} is locked", "run make setup")
    return Check(name, "ok", version)


def _tool(name: str, package: str, use: str) -> Check:
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


def _packages() -> Check:
    """Hold all packages against the lock, and their places against the environment's."""
    found = other_packages()
    if found:
        return Check(
            "packages", "optional", "; ".join(found), "for the locked results: unset PYTHONPATH, run make setup"
        )
    return Check("packages", "ok", "as locked" if locked_versions() else "no lock to compare with")


def _simulator() -> Check:
    """Step a real environment: that needs MuJoCo's library, Meta-World's files and everything they import."""
    import numpy as np

    from must.envs import TaskEnv, TaskGoals

    environment = TaskEnv(TaskGoals("reach-v3", seed=1), "v2")
    environment.reset(0)
    environment.step(np.zeros(4, dtype=np.float32))
    return Check("simulator", "ok", "MuJoCo steps Meta-World's reach-v3")


def _opengl() -> Check:
    """Draw a sphere, in another process."""
    from must.render import find_backend

    use = "for must render and a report's clips (training draws nothing): "
    try:
        return Check("OpenGL", "ok", f"draws with {drawing.VARIABLE}={find_backend()}")
    except RenderError as error:
        found, _, mend = str(error).rpartition("; " if os.environ.get(drawing.VARIABLE) else ": ")
        return Check("OpenGL", "optional", found, use + mend)


def _cpu() -> Check:
    return Check("CPU", "ok", f"{cores_here()} cores usable, {platform.machine()}")


def _gpu() -> Check:
    import torch

    if torch.cuda.is_available():
        devices = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
        names = ", ".join(f"{device.name} ({device.total_memory / GIB:.0f} GiB)" for device in devices)
        return Check("GPU", "ok", f"{names}, CUDA {torch.version.cuda}")
    if shutil.which("nvidia-smi") is None:
        return Check("GPU", "optional", "no NVIDIA driver (nvidia-smi is not there)", "for device: cuda")
    answer = _ask("nvidia-smi", "-L")
    if answer is None:
        mend = "for device: cuda: mend the NVIDIA driver until nvidia-smi answers"
        return Check("GPU", "optional", "nvidia-smi fails: the driver does not answer", mend)
    if torch.version.cuda is None:
        found = f"{answer.splitlines()[0]}, but this PyTorch is the CPU build"
        return Check("GPU", "optional", found, "for device: cuda: run make setup FLAVOUR=cuda")
    mend = f"for device: cuda: this PyTorch needs a driver for CUDA {torch.version.cuda}, and a visible device"
    return Check("GPU", "optional", f"{answer.splitlines()[0]}, but PyTorch cannot use it", mend)


def _disk(results: Path) -> Check:
    place = results.absolute()
    if place.is_symlink() and not place.exists():
        found = f"{place} is a link to {place.readlink()}, which is not there"
        return Check("disk", "problem", found, "make what it leads to, or remove the link")
    if place.exists() and not place.is_dir():
        return Check("disk", "problem", f"{place} is a file", "move it: results lie in a directory of this name")
    place = nearest(place)
    free = shutil.disk_usage(place).free
    found = f"{free / GIB:.1f} GiB free at {place}"
    if not os.access(place, os.W_OK):
        return Check("disk", "problem", f"{place} cannot be written to", "run from a folder of your own")
    if free < DISK_NEEDED:
        return Check(
            "disk", "problem", found, f"free at least {DISK_NEEDED // GIB} GiB, or make results/ a link to another disk"
        )
    if free < DISK_WANTED:
        return Check("disk", "optional", found, "for sweeps of large runs: their checkpoints hold the replay buffer")
    return Check("disk", "ok", found)


def _shared_memory() -> Check:
    path = Path("/dev/shm")  # noqa: S108 - looked at, not written to
    if not path.is_dir():
        return Check("shared memory", "ok", "no /dev/shm on this system; training does not use it")
    free = shutil.disk_usage(path).free
    found = f"{free / GIB:.2f} GiB free in /dev/shm"
    if free < SHARED_MEMORY_WANTED:
        return Check(
            "shared memory",
            "optional",
            found,
            "for PyTorch programs that share tensors: enlarge it (containers: --shm-size)",
        )
    return Check("shared memory", "ok", found)


def _caches() -> Check:
    """Check the folder where Snakemake keeps copies of its sources, as it does even for a dry run."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if os.access(nearest(cache), os.W_OK | os.X_OK):
        return Check("caches", "ok", f"{cache} can be written")
    mend = 'for snakemake without make: export XDG_CACHE_HOME="$PWD/.cache"'
    return Check("caches", "optional", f"{cache} cannot be written", mend)


def _apptainer() -> Check:
    for program in ("apptainer", "singularity"):
        version = _ask(program, "--version")
        if version is not None:
            return Check("Apptainer", "ok", version)
    return Check("Apptainer", "optional", "not found", "for training in the image: install Apptainer 1.3 or newer")


def _image_space() -> Check:
    place = nearest(Path(os.environ.get("APPTAINER_TMPDIR") or os.environ.get("TMPDIR") or tempfile.gettempdir()))
    free = shutil.disk_usage(place).free / 1e9
    small = [f"the {flavour} image ({space} GB)" for flavour, space in IMAGE_SPACE.items() if free < space]
    found = f"{free:.1f} GB free at {place}"
    if small:
        mend = f"to build {' and '.join(small)}: set APPTAINER_TMPDIR to a folder on a larger local disk"
        return Check("image space", "optional", found, mend)
    return Check("image space", "ok", found)


def _slurm() -> Check:
    use = "for --profile slurm: "
    version = _ask("sbatch", "--version")
    if version is None:
        return Check("Slurm", "optional", "no sbatch", use + "run on a login node of a Slurm cluster")
    partitions = _ask("sinfo", "--noheader", "--format=%R")
    if not partitions:
        return Check("Slurm", "optional", f"{version}, but sinfo lists no partition", use + "is the controller up?")
    return Check("Slurm", "ok", f"{version}, partitions: {', '.join(dict.fromkeys(partitions.split()))}")


def _gridengine() -> Check:
    environments = _ask("qconf", "-spl")
    if not environments:
        lacking = "no qsub" if shutil.which("qsub") is None else "qsub, but qconf -spl names no parallel environment"
        return Check("Gridengine", "optional", lacking, "for Gridengine: run on a submit host of such a cluster")
    version = next(iter((_ask("qstat", "-help") or "").splitlines()), "")
    return Check("Gridengine", "ok", f"{version}, parallel environments: {', '.join(environments.split())}")


def _ask(*command: str) -> str | None:
    """Return what a program prints, or None when it is not there, fails or hangs."""
    if shutil.which(command[0]) is None:
        return None
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


if __name__ == "__main__":
    sys.exit(guarded(main))
