"""Undisturbed runs and disturbed ones, all on the same cluster at the same time: they wait more than they work."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cluster import ROOT, Checkout
from tests.support.scenarios import DISTURBANCES, ELSEWHERE, REFERENCES, SHORT, Changes

NEEDED = {
    "apptainer": "Apptainer (on Debian 12: tests/cluster/machine/install-apptainer.sh, as root)",
    "sbatch": "Slurm (a one-node cluster on Debian: tests/cluster/machine/start-slurm.sh, as root)",
    "squeue": "Slurm (a one-node cluster on Debian: tests/cluster/machine/start-slurm.sh, as root)",
    "slurmdbd": "Slurm's accounting (on Debian: apt-get install slurmdbd mariadb-server)",
    "mariadbd": "a database for Slurm's accounting (on Debian: apt-get install slurmdbd mariadb-server)",
    "qsub": "Gridengine (on Debian: tests/cluster/machine/start-gridengine.sh, as root)",
    "git": "git",
}


@pytest.fixture(scope="session", autouse=True)
def requirements() -> None:
    """Fail, with what to do, where the cluster's tests cannot run: they are never skipped silently."""
    path = os.environ["PATH"] + ":/usr/sbin"
    missing = [text for program, text in NEEDED.items() if shutil.which(program, path=path) is None]
    if os.getuid() == 0:
        missing.append("an ordinary user (root cannot build images everywhere; tests/cluster/machine/ci.sh makes one)")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        missing.append("/dev/fuse open to this user (chmod 666 /dev/fuse, as root)")
    if not missing and subprocess.run(["sinfo", "--noheader"], capture_output=True, check=False).returncode:
        missing.append("a Slurm controller that answers (tests/cluster/machine/start-slurm.sh, as root)")
    if not missing and subprocess.run(["qhost"], capture_output=True, check=False).returncode:
        missing.append("a Gridengine that answers (tests/cluster/machine/start-gridengine.sh, as root)")
    if missing:
        pytest.exit("the cluster's tests need:\n  - " + "\n  - ".join(dict.fromkeys(missing)), returncode=2)


@pytest.fixture(scope="session")
def smoke() -> dict[str, Any]:
    """Return the smoke experiment, in an image made from what this machine can reach."""
    settings: dict[str, Any] = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text(encoding="utf-8"))
    bootstrap = "debootstrap" if shutil.which("debootstrap", path=os.environ["PATH"] + ":/usr/sbin") else "docker"
    return settings | {"container": {"required": True, "bootstrap": bootstrap}}


@pytest.fixture(scope="session")
def workspace() -> Path:
    """Return an empty directory in the checkout: unlike /tmp, the nodes of a cluster see it."""
    directory = ROOT / "build" / "cluster"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


@pytest.fixture(scope="session")
def first(workspace: Path, smoke: dict[str, Any]) -> tuple[Checkout, str]:
    """Return the checkout where the literal command built the image and ran the smoke experiment, and its output."""
    checkout = Checkout(workspace / "first", smoke)
    return checkout, checkout.snakemake()


@pytest.fixture(scope="session")
def outcomes(workspace: Path, first: tuple[Checkout, str], smoke: dict[str, Any]) -> dict[str, Future[Checkout]]:
    """Return the experiments for the disturbances, undisturbed and disturbed, all under way at once."""
    pool, one_by_one = ThreadPoolExecutor(len(REFERENCES) + len(DISTURBANCES)), ThreadPoolExecutor(1)

    def changed(changes: Changes) -> dict[str, Any]:
        config = copy.deepcopy(smoke)
        for section, values in changes.items():
            config[section] = config[section] | values
        return config

    started = {}
    for name, (changes, act) in (REFERENCES | DISTURBANCES).items():
        started[name] = pool.submit(act, Checkout(workspace / name, changed(changes), image_from=first[0]))
    for name, (kind, act) in ELSEWHERE.items():
        started[name] = one_by_one.submit(act, kind(workspace / name, changed(SHORT), image_from=first[0]))
    return started


@pytest.fixture(scope="session")
def second_digest(first: tuple[Checkout, str], outcomes: dict[str, Future[Checkout]]) -> Future[str]:
    """Return the content digest of a second build of the same commit, made while the experiments are under way."""
    return ThreadPoolExecutor(1).submit(first[0].build_again)
