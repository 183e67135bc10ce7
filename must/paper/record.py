"""What the manifests and logs of an experiment's runs say of how they were made: compute, machines, software, seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from must.data import Results, Run, Status
from must.data.costs import cost_of_run, seconds_of
from must.data.provenance import commits_of, containers_of, starts_of
from must.run_files import CPU_SECONDS


@dataclass(frozen=True)
class Machine:
    """What the runs of one kind of machine took; a run that was moved counts for each of its machines' names."""

    name: str
    """Processor, cores and GPU."""
    platform: str
    runs: int
    hours: float
    """By the clock, of all its runs together."""
    cpu_hours: float
    """Of CPU, as the runs logged them; NaN where one of them did not."""
    core_hours: float
    """By the clock, for each thread of the learner: at least what a run had to itself."""
    gpu_hours: float
    """By the clock, of the runs that trained on a GPU."""


@dataclass(frozen=True)
class Record:
    """How the finished runs were made."""

    finished: tuple[Run, ...]
    planned: int
    unfinished: dict[str, int]
    """State -> runs."""
    seeds: list[str]
    """Of the finished runs."""
    machines: list[Machine]
    software: dict[str, list[str]]
    """Package (and Python) -> versions."""
    commits: dict[str, bool]
    """Commit -> whether the tree had other changes."""
    containers: list[str]
    """Digests, or ``none``."""
    interrupted: int
    """Finished runs that were started more than once."""
    devices: set[str]
    """``CPU`` and names of GPUs."""

    @property
    def total(self) -> Machine:
        """The sum over all machines."""
        sums = [sum(getattr(each, name) for each in self.machines) for name in _SUMS]
        return Machine("all", "", len(self.finished), *map(float, sums))

    @property
    def clean(self) -> bool:
        """Whether the code of every run is that of a known commit."""
        return "unknown" not in self.commits and not any(self.commits.values())


_SUMS = ("hours", "cpu_hours", "core_hours", "gpu_hours")


def record_of(results: Results) -> Record:
    """Collect what the runs of an experiment say of themselves."""
    finished = results.finished
    unfinished = {str(each): sum(run.status is each for run in results.runs) for each in Status}
    by_machine: dict[tuple[str, str], list[Run]] = {}
    software: dict[str, set[str]] = {}
    for run in finished:
        names = list(dict.fromkeys(map(_machine, starts_of(run))))
        by_machine.setdefault((", then ".join(names), str(run.manifest.get("platform") or "unknown")), []).append(run)
        for start in starts_of(run):
            packages = start.get("packages")
            known = packages if isinstance(packages, dict) else {}
            for name, version in {"python": start.get("python"), **known}.items():
                software.setdefault(str(name), set()).add(str(version or "unknown"))
    return Record(
        finished,
        len(results.runs),
        {state: count for state, count in unfinished.items() if count and state != Status.FINISHED},
        sorted({run.seed for run in finished}, key=int),
        [_sum(name, platform, runs) for (name, platform), runs in sorted(by_machine.items())],
        {name: sorted(versions) for name, versions in sorted(software.items())},
        commits_of(finished),
        containers_of(finished),
        sum(len(starts_of(run)) > 1 for run in finished),
        {str(run.manifest.get("gpu") or "CPU") for run in finished},
    )


def _machine(start: dict[str, object]) -> str:
    cores, gpu = start.get("cpu_cores"), start.get("gpu")
    parts = [str(start.get("cpu") or "unknown processor"), f"{cores} cores" if cores else "", str(gpu or "")]
    return ", ".join(filter(None, parts))


def _sum(name: str, platform: str, runs: Sequence[Run]) -> Machine:
    hours = [cost_of_run(run).minutes / 60 for run in runs]
    cpu = [_last(run) for run in runs]
    threads = [int(run.manifest.get("threads") or 1) for run in runs]
    on_gpu = [bool(run.manifest.get("gpu")) for run in runs]
    known = np.nan_to_num(hours)
    return Machine(
        name,
        platform,
        len(runs),
        float(np.sum(hours)),
        float(np.sum(cpu)),
        float(np.dot(known, threads)) if not any(map(math.isnan, hours)) else math.nan,
        float(np.dot(known, on_gpu)),
    )


def _last(run: Run) -> float:
    """Return the hours of CPU that a run had taken at its last evaluation; NaN where it did not log them."""
    return float(seconds_of(run, CPU_SECONDS)[-1]) / 3600
