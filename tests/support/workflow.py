"""Real Snakemake on copies of configurations, in directories of its own: nothing is written to the repository."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.helpers import ROOT


@dataclass(frozen=True)
class Plan:
    """What a dry run says it would do."""

    jobs: Counter[str]
    """Rule -> number of jobs; empty when there is nothing to be done."""
    trained: frozenset[str]
    """Paths, below ``runs/``, of the runs that would be trained."""


@dataclass(frozen=True)
class Workflow:
    """The workflow of this repository, with a working directory and an experiment elsewhere."""

    directory: Path

    def snakemake(
        self, *options: str, config: Mapping[str, Any] | str | None, python: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run Snakemake on an experiment (settings, or the text of a file, or None for no file at all).

        Args:
            options: Of Snakemake.
            config: The experiment.
            python: Options of Python.
        """
        command = [sys.executable, *python, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--directory", str(self.directory), *options]
        if config is not None:
            path = self.directory.with_suffix(f".{os.getpid()}.yaml")
            path.write_text(config if isinstance(config, str) else yaml.safe_dump(dict(config)), encoding="utf-8")
            command += ["--configfile", str(path)]
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        env = {**os.environ, "PATH": path, "SNAKEMAKE_PROFILE": "none"}
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    def plan(self, config: Mapping[str, Any] | str | None, *options: str) -> Plan:
        """Return the jobs of a dry run, which must succeed."""
        done = self.snakemake("--dry-run", *options, config=config)
        text = done.stdout + done.stderr
        assert done.returncode == 0, text
        if "Nothing to be done" in text:
            return Plan(Counter(), frozenset())
        table = text.rsplit("Job stats:", 1)[1].split("total", 1)[0]
        jobs = Counter({rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)})
        return Plan(jobs, frozenset(re.findall(r"Training results/[^/]+/runs/(\S+)", text)))

    @property
    def files(self) -> list[Path]:
        """Every file of the working directory, apart from Snakemake's own."""
        found = (path.relative_to(self.directory) for path in self.directory.rglob("*") if path.is_file())
        return sorted(path for path in found if path.parts[0] != ".snakemake")
