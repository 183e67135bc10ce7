"""What each setting of a sweep has cost, and what to ask for next time: ``must status --cost``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from must.config.run_spec import deal
from must.run_files import MANIFEST, table
from must.sweep.state import State
from must.sweep.survey import RunStatus, Survey
from must.sweep.tails import all_rows, changed, json_object
from must.words import UNKNOWN, columns, count_of, duration, hours, size

ROOM = 1.25
"""What is proposed, in units of the most that was seen."""
_MEMORY_STEP, _MINUTES_STEP = 500, 10


@dataclass(frozen=True)
class Cost:
    """What a run has cost."""

    seconds: float
    """Of its training, by the times that it has logged; what a crash made it do again counts once."""
    gpu: bool
    memory: float | None
    """Most bytes of its last job, shared evenly among the runs of the job; None where nobody has measured it."""
    busy: float | None
    """Share of the cores of its last job that was used; None likewise."""


@dataclass(frozen=True)
class SettingCost:
    """What the finished runs of a setting have cost."""

    name: str
    runs: int
    finished: int
    seconds: float
    gpu_seconds: float
    longest: float
    memory: float | None
    busy: float | None


def costs(found: Survey) -> list[SettingCost]:
    """Return what each setting has cost, from the files of the runs that are finished."""
    jobs = _jobs(found)
    rows: dict[int, list[RunStatus]] = {}
    for run in found.runs:
        rows.setdefault(id(run.setting), []).append(run)
    result = []
    for runs in rows.values():
        paid = [_cost(found, run, jobs) for run in runs if run.state is State.FINISHED]
        result.append(
            SettingCost(
                runs[0].setting.name,
                len(runs),
                len(paid),
                sum(cost.seconds for cost in paid),
                sum(cost.seconds for cost in paid if cost.gpu),
                max((cost.seconds for cost in paid), default=0.0),
                max((cost.memory for cost in paid if cost.memory is not None), default=None),
                _mean([cost.busy for cost in paid if cost.busy is not None]),
            )
        )
    return result


def cost_report(found: Survey) -> str:
    """Return what a sweep has cost, and what to ask for next time, as text."""
    rows = costs(found)
    asks, cores = found.experiment.resources, found.experiment.training.cores
    cells = [["setting", "finished", "CPU time", "GPU time", "longest run", "peak memory", "cores used"]]
    cells += [_cells(row, cores, asks.gpus, asks.runs_per_job) for row in rows]
    total = SettingCost(
        "all",
        sum(row.runs for row in rows),
        sum(row.finished for row in rows),
        sum(row.seconds for row in rows),
        sum(row.gpu_seconds for row in rows),
        max(row.longest for row in rows),
        max((row.memory for row in rows if row.memory is not None), default=None),
        _mean([row.busy for row in rows if row.busy is not None]),
    )
    cells.append(_cells(total, cores, asks.gpus, asks.runs_per_job))
    lines = [f"{found.experiment.name}: {count_of(total.finished, 'finished run')} of {total.runs}", ""]
    lines += columns(cells, right=range(1, len(cells[0])))
    return "\n".join([*lines, "", *_proposal(total, found)])


def _proposal(total: SettingCost, found: Survey) -> list[str]:
    asks = found.experiment.resources
    if not total.finished:
        return ["No run is finished, so there is nothing to propose."]
    minutes = _MINUTES_STEP * math.ceil(ROOM * total.longest / 60 / _MINUTES_STEP)
    lines = ["For the next one (the most that was seen, and a quarter more):", "", "    resources:"]
    if total.memory is None:
        lines.append(f"      mem_mb: {asks.mem_mb}  # as now: no job has written down what it took")
    else:
        memory = _MEMORY_STEP * math.ceil(ROOM * total.memory / 1e6 / _MEMORY_STEP)
        used = total.memory / 1e6 / asks.mem_mb
        lines.append(f"      mem_mb: {memory}  # now {asks.mem_mb}, of which {used:.0%} was used")
    used = total.longest / 60 / asks.minutes
    lines.append(f"      minutes: {minutes}  # now {asks.minutes}, of which {used:.0%} was used")
    return lines


def _cells(row: SettingCost, cores: int, gpus: int, together: int) -> list[str]:
    memory = UNKNOWN if row.memory is None else size(row.memory)
    busy = UNKNOWN if row.busy is None else f"{row.busy:.0%}"
    gpu = hours(row.gpu_seconds * max(gpus, 1) / together) if row.gpu_seconds else "none"
    longest = duration(row.longest) if row.finished else UNKNOWN
    return [row.name, f"{row.finished}/{row.runs}", hours(row.seconds * cores), gpu, longest, memory, busy]


def _jobs(found: Survey) -> dict[str, Path]:
    """Return the file with the measured time and memory of each run's job."""
    folder, together = found.directory / "benchmarks" / "train", found.experiment.resources.runs_per_job
    if together == 1:
        return {run.path: folder / f"{run.path}.tsv" for run in found.runs}
    batches = deal(found.experiment.runs(), together)
    newest = {number: _newest_job(folder, f"batch-{number}-{together}") for number in batches}
    return {path: newest[number] for number, paths in batches.items() for path in paths}


def _newest_job(folder: Path, name: str) -> Path:
    """Return the file of the newest of the jobs that had the same runs."""
    return max(folder.glob(f"{name}*.tsv"), key=changed, default=folder / f"{name}.tsv")


def _cost(found: Survey, run: RunStatus, jobs: dict[str, Path]) -> Cost:
    place = found.directory / "runs" / run.path
    seconds = sum(sum(row[1:]) for row in all_rows(place / table("timing"), 4))
    together = found.experiment.resources.runs_per_job
    memory, busy = _measured(jobs[run.path], found.experiment.training.cores * together)
    gpu = bool(json_object(place / MANIFEST).get("gpu"))
    return Cost(seconds, gpu, None if memory is None else memory / together, busy)


def _measured(path: Path, cores: int) -> tuple[float | None, float | None]:
    """Return the most bytes that a job held and the share of its cores that it used, by Snakemake's benchmark of it."""
    try:
        heading, *_, row = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
        found = dict(zip(heading, row, strict=True))
        return 2**20 * float(found["max_rss"]), float(found["cpu_time"]) / float(found["s"]) / cores
    except (OSError, ValueError, KeyError, ZeroDivisionError):  # not there, or too short to be measured
        return None, None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
