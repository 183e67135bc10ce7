"""Queues of schedulers: which jobs of a checkout are in them, such as those that a killed head has left behind."""

from __future__ import annotations

import getpass
import os
import subprocess

CANCEL = {"slurm": "scancel", "cluster-generic": "qdel"}
"""Snakemake's executor -> the program that takes jobs out of its queue."""

_OWN = {os.environ.get("SLURM_JOB_ID"), os.environ.get("JOB_ID")}
"""The job that the head itself is in. Looked up at once: the Slurm plugin takes such variables away."""


def queued_jobs(executor: str, here: str) -> list[str]:
    """Return the user's other jobs that were submitted from a directory; none where the scheduler does not answer.

    Args:
        executor: Snakemake's name of how jobs are submitted.
        here: The directory.
    """
    places = {"slurm": _slurm, "cluster-generic": _gridengine}.get(executor, dict)()
    return [job for job, place in places.items() if place == here and job not in _OWN]


def _slurm() -> dict[str, str]:
    lines = _ask("squeue", "--noheader", "--me", "--format", "%i|%Z")
    return dict(line.strip().split("|", 1) for line in lines if "|" in line)


def _gridengine() -> dict[str, str]:
    waiting = [line.split()[0] for line in _ask("qstat", "-u", getpass.getuser())[2:]]
    found, job = {}, ""
    for line in _ask("qstat", "-j", ",".join(waiting)) if waiting else []:
        key, _, value = line.partition(":")
        if key == "job_number":
            job = value.strip()
        elif key == "cwd":
            found[job] = value.strip()
    return found


def _ask(*command: str) -> list[str]:
    """Return the lines that a program prints; none where it is not there."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    except OSError:
        return []
