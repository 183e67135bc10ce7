"""What runs in an image and on a cluster need."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from must.doctor.check import Check, ask
from must.files import nearest

IMAGE_SPACE = {"cpu": 4, "cuda": 11}
"""GB of temporary space that Apptainer takes to build an image; containers/build_image.sh wants the same."""


def apptainer() -> Check:
    """Find Apptainer, or Singularity."""
    for program in ("apptainer", "singularity"):
        version = ask(program, "--version")
        if version is not None:
            return Check("Apptainer", "ok", version)
    return Check("Apptainer", "optional", "not found", "for training in the image: install Apptainer 1.3 or newer")


def image_space() -> Check:
    """Look for temporary space to build an image in."""
    place = nearest(Path(os.environ.get("APPTAINER_TMPDIR") or os.environ.get("TMPDIR") or tempfile.gettempdir()))
    free = shutil.disk_usage(place).free / 1e9
    small = [f"the {flavour} image ({space} GB)" for flavour, space in IMAGE_SPACE.items() if free < space]
    found = f"{free:.1f} GB free at {place}"
    if small:
        mend = f"to build {' and '.join(small)}: set APPTAINER_TMPDIR to a folder on a larger local disk"
        return Check("image space", "optional", found, mend)
    return Check("image space", "ok", found)


def slurm() -> Check:
    """Ask Slurm for its version and partitions."""
    use = "for --profile slurm: "
    version = ask("sbatch", "--version")
    if version is None:
        return Check("Slurm", "optional", "no sbatch", use + "run on a login node of a Slurm cluster")
    partitions = ask("sinfo", "--noheader", "--format=%R")
    if not partitions:
        return Check("Slurm", "optional", f"{version}, but sinfo lists no partition", use + "is the controller up?")
    return Check("Slurm", "ok", f"{version}, partitions: {', '.join(dict.fromkeys(partitions.split()))}")


def gridengine() -> Check:
    """Ask Gridengine for its version and parallel environments."""
    environments = ask("qconf", "-spl")
    if not environments:
        lacking = "no qsub" if shutil.which("qsub") is None else "qsub, but qconf -spl names no parallel environment"
        return Check("Gridengine", "optional", lacking, "for Gridengine: run on a submit host of such a cluster")
    version = next(iter((ask("qstat", "-help") or "").splitlines()), "")
    return Check("Gridengine", "ok", f"{version}, parallel environments: {', '.join(environments.split())}")
