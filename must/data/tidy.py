"""The tidy data of an experiment, one observation a row: what tables and figures are made of (docs/data.md)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from must.config import NOT_APPLICABLE
from must.config.outputs import DATA
from must.data.costs import Cost, cost_of_run, seconds_of
from must.data.files import write_atomically
from must.data.logs import read_lines
from must.data.names import method_label, names_of
from must.data.provenance import commits_of, containers_of
from must.data.runs import Results, Run, Status
from must.errors import ResultsError
from must.run_files import CPU_SECONDS, ENV_STEPS, EPOCH, MASK_COLUMNS, TIMING_COLUMNS, table

MASK_SETS = 11
"""Most mask sets of a run that ``masks.csv`` holds, from the first to the last; its own log has all of them."""
EVALUATION_COLUMNS = ("run", EPOCH, ENV_STEPS, "seconds", "cpu_seconds", "task", "success", "return")
Rows = Iterator[str]
"""Lines of a CSV file, the header first; a piece may hold many."""


@dataclass(frozen=True)
class Data:
    """The tidy data of an experiment: data frames whose columns docs/data.md describes.

    ``run`` is the number of a run in all four: ``data.evaluations.merge(data.runs, on="run")`` adds its settings.
    """

    runs: pd.DataFrame
    """A row for each run of the sweep: settings, status, success, cost, where it was made."""
    evaluations: pd.DataFrame
    """A row for each evaluation and task of each finished run: success rate and return."""
    masks: pd.DataFrame
    """A row for each pair of tasks, network and mask set: overlap."""
    training: pd.DataFrame
    """A row for each epoch: losses, temperatures, mask changes, seconds."""


def load(directory: str | Path) -> Data:
    """Read the tidy data that ``must aggregate`` wrote of an experiment.

    Args:
        directory: That of the experiment, such as ``results/quick``.

    Raises:
        ResultsError: There is none, or it cannot be read.
    """
    return Data(**{name: _read(Path(directory) / "data" / f"{name}.csv") for name in sorted(DATA)})


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, low_memory=False)
    except FileNotFoundError:
        raise ResultsError(f"{path}: is not there; write it with must aggregate --config FILE --results DIR") from None
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: cannot be read: {error}; write it anew with must aggregate") from None


def write_data(results: Results) -> list[Path]:
    """Write ``results/<name>/data/*.csv``; return the files. The same logs give the same bytes.

    Raises:
        ResultsError: A file cannot be written.
    """
    finished = [(number, run) for number, run in enumerate(results.runs) if run.status is Status.FINISHED]
    rows: dict[str, Rows] = {
        "runs": iter([runs_frame(results).to_csv(index=False, lineterminator="\n")]),
        "evaluations": _evaluations(finished),
        "masks": _masks(finished),
        "training": _training(finished),
    }
    return [write_atomically(results.directory / "data" / f"{name}.csv", rows[name]) for name in DATA]


def runs_frame(results: Results) -> pd.DataFrame:
    """Return a row for each run of the sweep, in its order."""
    rows: list[dict[str, object]] = []
    for group, name in zip(results.groups, names_of(results.groups), strict=True):
        for run in group.runs:
            cost = cost_of_run(run)._asdict() if run.log else dict.fromkeys(Cost._fields, math.nan)
            rows.append(
                {"run": len(rows), "experiment": results.experiment.name, "setting": name, "status": str(run.status)}
                | {"method": run.config.method, "method_label": method_label(run.config)}
                | {axis: value for axis, value in group.settings.items() if axis != "method"}
                | {"seed": run.seed, "reward": run.config.env.reward, "goals": run.config.env.goals}
                | {column: _number(value) for column, value in (_success(results, run) | cost).items()}
                | (_made_with(run) if run.log else {})
                | {"path": run.spec.path}
            )
    return pd.DataFrame(rows).replace(NOT_APPLICABLE, "")


def _success(results: Results, run: Run) -> dict[str, float]:
    """Return what a run achieved, means over its tasks; docs/statistics.md says what each is."""
    if run.log is None:
        return dict.fromkeys(("final_success", "best_success", "area_under_curve"), math.nan)
    rates = run.log.success.mean(axis=1)
    curve, steps = rates[run.alike], run.log.env_steps[run.alike]
    area = np.trapezoid(curve, steps) / (steps[-1] - steps[0]) if len(steps) > 1 else curve[0]
    final = rates[-results.experiment.report.final_evaluations :].mean()
    return {"final_success": float(final), "best_success": float(curve.max()), "area_under_curve": float(area)}


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.9g}"


def _made_with(run: Run) -> dict[str, str]:
    commits = commits_of([run])
    known = {name: str(run.manifest.get(name) or "") for name in ("python", "cpu", "gpu", "started", "ended")}
    made = {"git_commits": " ".join(commits), "git_dirty": str(int(any(commits.values())))}
    return made | {"containers": " ".join(containers_of([run]))} | known


def _evaluations(finished: list[tuple[int, Run]]) -> Rows:
    """Write the evaluations in long form; success and return are the digits of the runs' own logs."""
    yield ",".join(EVALUATION_COLUMNS) + "\n"
    for number, run in finished:
        tasks, lines = run.config.env.task_names, read_lines(run.directory / table("eval"))[1:]
        times = [["" if math.isnan(s) else f"{s:.2f}" for s in seconds_of(run, name)] for name in ("", CPU_SECONDS)]
        pieces = []
        for line, clock, cpu in zip(lines, *times, strict=True):
            epoch, steps, _, *values = line.rstrip("\r\n").split(",")
            head = f"{number},{epoch},{int(float(steps)) // len(tasks)},{clock},{cpu},"
            rates, returns = values[: len(tasks)], values[len(tasks) :]
            pieces += [f"{head}{task},{rate},{each}\n" for task, rate, each in zip(tasks, rates, returns, strict=True)]
        yield "".join(pieces)


def _masks(finished: list[tuple[int, Run]]) -> Rows:
    """Write the overlaps of the tasks' masks, of mask sets spread evenly over the training."""
    yield ",".join(("run", *MASK_COLUMNS)) + "\n"
    for number, run in finished:
        lines = read_lines(run.directory / table("masks"))[1:]
        keys = [",".join(line.split(",", 2)[:2]) for line in lines]
        sets = list(dict.fromkeys(keys))
        places = np.linspace(0, len(sets) - 1, min(MASK_SETS, len(sets))).round().astype(int)
        kept = {sets[place] for place in places}
        yield "".join(f"{number},{line}" for line, key in zip(lines, keys, strict=True) if key in kept)


def _training(finished: list[tuple[int, Run]]) -> Rows:
    """Write a row for each epoch, with the columns of every run: what a method does not log is empty."""
    times = TIMING_COLUMNS[1:]
    headers = {number: _header(run, "train") for number, run in finished}
    columns = list(dict.fromkeys(name for header in headers.values() for name in header))
    yield ",".join(("run", *columns, *times)) + "\n"
    for number, run in finished:
        header, place = headers[number], {name: at for at, name in enumerate(columns)}
        timing = _by_epoch(run, times)
        nothing = "," * (len(times) - 1)
        pieces = []
        for line in read_lines(run.directory / table("train"))[1:]:
            text = line.rstrip("\r\n")
            if header != columns:
                row = [""] * len(columns)
                for name, field in zip(header, text.split(","), strict=True):
                    row[place[name]] = field
                text = ",".join(row)
            pieces.append(f"{number},{text},{timing.get(text.partition(',')[0], nothing)}\n")
        yield "".join(pieces)


def _header(run: Run, log: str) -> list[str]:
    path = run.directory / table(log)
    lines = read_lines(path) if path.exists() else []
    return lines[0].rstrip("\r\n").split(",") if lines else []


def _by_epoch(run: Run, columns: tuple[str, ...]) -> dict[str, str]:
    """Return the times of each epoch, by its number, as fields of a row."""
    path = run.directory / table("timing")
    if not (header := _header(run, "timing")):
        return {}
    rows = [dict(zip(header, line.rstrip("\r\n").split(","), strict=True)) for line in read_lines(path)[1:]]
    return {row[EPOCH]: ",".join(row.get(name, "") for name in columns) for row in rows}
