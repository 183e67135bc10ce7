"""What the machine has: processors, memory, and places to write to."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from must.doctor.check import GIB, Check, ask
from must.environment import cores_here
from must.files import nearest

DISK_NEEDED, DISK_WANTED = 1 * GIB, 10 * GIB
SHARED_MEMORY_WANTED = 64 * 2**20


def cpu() -> Check:
    """Count the cores that may be used."""
    return Check("CPU", "ok", f"{cores_here()} cores usable, {platform.machine()}")


def gpu() -> Check:
    """Name the GPUs that PyTorch can use, or say why it can use none."""
    import torch

    if torch.cuda.is_available():
        devices = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
        names = ", ".join(f"{device.name} ({device.total_memory / GIB:.0f} GiB)" for device in devices)
        return Check("GPU", "ok", f"{names}, CUDA {torch.version.cuda}")
    if shutil.which("nvidia-smi") is None:
        return Check("GPU", "optional", "no NVIDIA driver (nvidia-smi is not there)", "for device: cuda")
    answer = ask("nvidia-smi", "-L")
    if answer is None:
        mend = "for device: cuda: mend the NVIDIA driver until nvidia-smi answers"
        return Check("GPU", "optional", "nvidia-smi fails: the driver does not answer", mend)
    if torch.version.cuda is None:
        found = f"{answer.splitlines()[0]}, but this PyTorch is the CPU build"
        return Check("GPU", "optional", found, "for device: cuda: run make setup FLAVOUR=cuda")
    mend = f"for device: cuda: this PyTorch needs a driver for CUDA {torch.version.cuda}, and a visible device"
    return Check("GPU", "optional", f"{answer.splitlines()[0]}, but PyTorch cannot use it", mend)


def disk(results: Path) -> Check:
    """Look for room, and for the right to write, where results will lie."""
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


def shared_memory() -> Check:
    """Measure the free shared memory."""
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


def caches() -> Check:
    """Check the folder where Snakemake keeps copies of its sources, as it does even for a dry run."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if os.access(nearest(cache), os.W_OK | os.X_OK):
        return Check("caches", "ok", f"{cache} can be written")
    mend = 'for snakemake without make: export XDG_CACHE_HOME="$PWD/.cache"'
    return Check("caches", "optional", f"{cache} cannot be written", mend)
