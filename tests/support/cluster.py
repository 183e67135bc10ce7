"""A checkout on a cluster, the head that Snakemake is there, and ways to disturb both."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml

from must.workflow.queues import queued_jobs
from tests.support.helpers import ROOT

T = TypeVar("T")
BUILT = Path("containers/build")
TABLES = ("success_rate.csv", "success_rate.md", "success_rate.tex")
FASTER = ("--slurm-init-seconds-before-status-checks", "3", "--seconds-between-status-checks", "3")
"""Looks at the queue more often than is polite on a shared cluster."""
TABLES_ONLY = ("--", "aggregate")
"""Leaves out the figures: half a minute."""
LIMIT = 1500
"""Seconds after which a head that does not end is given up."""


class Checkout:
    """A fresh clone of this repository with an experiment, on a file system that the nodes see."""

    profile = "slurm"

    def __init__(
        self,
        directory: Path,
        config: dict[str, Any],
        image_from: Checkout | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        """Clone into a directory that does not exist.

        Args:
            directory: The directory.
            config: The experiment.
            image_from: A checkout that has built the image.
            environment: Variables of the head, such as which of several Slurms it submits to.
        """
        self.directory = directory
        self.config = config
        self.environment = environment or {}
        run("git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(directory))
        self.experiment = directory / "experiment.yaml"
        self.experiment.write_text(yaml.safe_dump(config), encoding="utf-8")
        if image_from is not None:
            (directory / BUILT).mkdir(parents=True)
            for path in sorted((image_from.directory / BUILT).glob("must-*.sif*")):
                shutil.copy(path, directory / BUILT / path.name)

    @property
    def results(self) -> Path:
        """Where the experiment's results lie."""
        return self.directory / "results" / str(self.config["name"])

    @property
    def tables(self) -> dict[str, bytes]:
        """The final tables, byte by byte."""
        return {name: (self.results / "tables" / name).read_bytes() for name in TABLES}

    @property
    def digest(self) -> str:
        """Content digest of the image."""
        (path,) = (self.directory / BUILT).glob("must-*.sif.digest")
        return path.read_text(encoding="utf-8").strip()

    def build_again(self) -> str:
        """Build the image a second time, beside the first; return its content digest."""
        image = self.directory / "build" / "again.sif"
        script, wheels = self.directory / "containers/build_image.sh", self.directory / BUILT / "wheelhouse-cpu"
        run(str(script), "cpu", self.config["container"]["bootstrap"], str(wheels), str(image))
        return Path(f"{image}.digest").read_text(encoding="utf-8").strip()

    def run_dirs(self) -> list[Path]:
        """Return the run directories that exist."""
        return sorted(path.parent for path in self.results.glob("runs/**/config.yaml"))

    def manifests(self) -> dict[str, dict[str, Any]]:
        """Return the manifest of each run, by the run's path."""
        paths = {str(path.relative_to(self.results / "runs")): path / "manifest.json" for path in self.run_dirs()}
        return {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items()}

    def start(self, *options: str) -> Head:
        """Start `snakemake --profile ...` and go on."""
        return Head(self, options)

    def snakemake(self, *options: str) -> str:
        """Run `snakemake --profile ...`, which must succeed; return what it printed."""
        return self.start(*options).wait()

    @property
    def last_log(self) -> str:
        """What the newest head printed."""
        return max(self.directory.glob("head-*.log"), key=lambda path: path.stat().st_mtime).read_text(encoding="utf-8")

    def jobs(self, *states: str) -> list[str]:
        """Return the jobs of this checkout that are in the queue (in these states)."""
        text = run("squeue", "--noheader", "--me", "--format", "%i|%T|%Z", environment=self.environment)
        rows = [line.strip().split("|") for line in text.splitlines()]
        live = states or ("PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "REQUEUED", "SUSPENDED")
        return [number for number, state, place in rows if Path(place) == self.directory and state in live]

    def wait_for_checkpoint(self) -> str:
        """Wait until a job runs, and every run that is begun has a checkpoint, or a result; return the job."""

        def ready() -> str | None:
            begun = self.run_dirs()
            saved = [any((path / "checkpoints").glob("*")) or (path / "result.json").exists() for path in begun]
            running = self.jobs("RUNNING")
            return running[0] if running and saved and all(saved) else None

        return wait_for(ready, "a run with a checkpoint")


class OnGridengine(Checkout):
    """One whose jobs go to Gridengine."""

    profile = "workflow/profiles/gridengine"

    def jobs(self, *states: str) -> list[str]:
        """Return the jobs of this checkout that are in the queue; only those that run, if any states are given."""
        mine = queued_jobs("cluster-generic", str(self.directory))
        if not states:
            return mine
        rows = [line.split() for line in run("qstat", "-u", getpass.getuser()).splitlines()]
        return [row[0] for row in rows if row and row[0] in mine and row[4] == "r"]


class Head:
    """A running `snakemake --profile ...`."""

    def __init__(self, checkout: Checkout, options: tuple[str, ...]) -> None:
        """Start it; what it prints goes to `head-<n>.log`."""
        self.log = checkout.directory / f"head-{len(list(checkout.directory.glob('head-*.log')))}.log"
        command = [str(Path(sys.executable).parent / "snakemake"), "--profile", checkout.profile]
        command += ["--configfile", checkout.experiment.name, *options]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=checkout.directory, stdout=output, stderr=subprocess.STDOUT,
                env=os.environ | checkout.environment, start_new_session=True,
            )  # fmt: skip

    def wait(self) -> str:
        """Wait until it ends, which must be well; return what it printed."""
        try:
            status = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            status = -1
        text = self.log.read_text(encoding="utf-8")
        assert status == 0, text[-6000:]
        return text

    def kill(self) -> None:
        """Kill it as `kill -9` does, and everything it started on this machine."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def job_script(gres: str) -> str:
    """Return a script as Snakemake submits them, of a job of 2 cores, 300 MB and 5 minutes."""
    asked = {"threads": 2, "resources": {"mem_mb": 300, "runtime": 5, "gres": gres}}
    return f"#!/bin/sh\n# properties = {json.dumps(asked)}\nsleep 60\n"


def run(*command: str, environment: dict[str, str] | None = None) -> str:
    """Run a command, which must succeed, with more variables; return what it printed."""
    variables = os.environ | (environment or {})
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def wait_for(look: Callable[[], T | None], what: str, seconds: float = 1200) -> T:
    """Look again and again until something is there; a job may wait long for cores that other experiments use."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"no {what} after {seconds:.0f} s")
