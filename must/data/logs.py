"""Reading the files of one finished run, and refusing those that are not what the run wrote."""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from must.errors import ResultsError
from must.files import sha256
from must.run_files import CLOCK_COLUMNS, ENV_STEPS, EPOCH, MASK_CHURN, MASK_COLUMNS, RESULT, evaluation_columns

FloatArray = NDArray[np.float64]

MEND = "Remove that run's directory and train it again, or restore it from a copy."
"""What to do about a damaged run."""
_BYTES_PER_MASK_ROW = 200
"""More than a row of ``masks.csv`` can take: the last mask set is read from the end of a file of any size."""


@dataclass(frozen=True)
class EvaluationLog:
    """What ``eval.csv`` says of success: E evaluations of K tasks."""

    epochs: FloatArray
    """(E,) epoch of each evaluation; 0 is before training."""
    env_steps: FloatArray
    """(E,) environment steps so far, all tasks together."""
    success: FloatArray
    """(E, K) success rates in [0, 1]."""


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ResultsError: The file is missing or damaged.
    """
    try:
        data = json.loads(_read_bytes(path).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path}: is not valid JSON: {error}. {MEND}") from None
    if not isinstance(data, dict):
        raise ResultsError(f"{path}: expected a JSON object, found {data!r:.40}. {MEND}")
    return data


def read_lines(path: Path) -> list[str]:
    """Read the lines of a log, with their ends.

    Raises:
        ResultsError: The file cannot be read.
    """
    return _read_bytes(path).decode(errors="replace").splitlines(keepends=True)


def read_evaluations(path: Path, tasks: tuple[str, ...]) -> EvaluationLog:
    """Read ``eval.csv``, of a run that was configured with K tasks.

    Raises:
        ResultsError: The file is missing, torn or damaged; the message names the line.
    """
    lines, columns = read_lines(path), evaluation_columns(tasks)
    if not lines or lines[0].rstrip("\r\n").split(",") != columns:
        raise _damaged(path, 1, f"expected the columns {','.join(columns)}")
    if len(lines) == 1:
        raise _damaged(path, 2, "no evaluation in it")
    values = _numbers(path, lines, len(columns))
    success = values[:, 3 : 3 + len(tasks)]
    wrong = (success < 0) | (success > 1)
    wrong[1:] |= np.diff(values[:, :1], axis=0) <= 0
    if wrong.any():
        line = int(np.flatnonzero(wrong.any(axis=1))[0]) + 2
        raise _damaged(path, line, "epochs must increase, and success rates lie between 0 and 1")
    return EvaluationLog(values[:, 0].copy(), values[:, 1].copy(), success.copy())  # without the other columns


def read_timing(path: Path) -> dict[str, FloatArray]:
    """Read ``timing.csv``, which no checksum vouches for: the times are those of a machine, not of a result.

    Returns:
        Column -> (N,) values of the N epochs; empty when there is no such file, or no epoch in it.

    Raises:
        ResultsError: It is damaged.
    """
    lines = read_lines(path) if path.exists() else []
    if len(lines) < 2:
        return {}
    names = lines[0].rstrip("\r\n").split(",")
    if not {EPOCH, *CLOCK_COLUMNS} <= set(names):
        raise _damaged(path, 1, f"expected the columns {','.join((EPOCH, *CLOCK_COLUMNS))}")
    return dict(zip(names, _numbers(path, lines, len(names)).T, strict=True))


def read_overlaps(
    path: Path, tasks: tuple[str, ...], network: str = "policy", last: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Read the overlap of the tasks' masks in the mask sets that a run published, from ``masks.csv``.

    Args:
        path: The file.
        tasks: The K tasks of the run.
        network: ``policy``, ``q1`` or ``q2``.
        last: Whether only the last mask set is read, from the end of the file.

    Returns:
        (V,) epochs after which the sets were in use, and (V, K, K) symmetric matrices of |A and B| / |A or B| with ones
        on the diagonal. V is 0 for a dense run and for a single task.

    Raises:
        ResultsError: The file is missing or damaged, or lacks a pair of tasks.
    """
    if last:
        return read_last_overlaps(path, tasks, (network,))[network]
    rows = _read_columns(path, list(MASK_COLUMNS), None)
    return _matrices(path, tasks, rows[rows["network"] == network])


def read_last_overlaps(
    path: Path, tasks: tuple[str, ...], networks: tuple[str, ...]
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Read what `read_overlaps` reads with ``last`` of several networks at once: network -> epoch and matrix."""
    rows = _read_columns(path, list(MASK_COLUMNS), 3 * len(tasks) ** 2 * _BYTES_PER_MASK_ROW)
    found = {network: rows[rows["network"] == network] for network in networks}
    last = {network: each[each["version"] == each["version"].max()] for network, each in found.items()}
    return {network: _matrices(path, tasks, each) for network, each in last.items()}


def _matrices(path: Path, tasks: tuple[str, ...], rows: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Return the epochs (V,) and the overlaps (V, K, K) of one network's rows."""
    epochs, version = np.unique(rows[EPOCH].to_numpy(), return_inverse=True)
    # -1 stands for a task that the run has not.
    first, second = (pd.Index(tasks).get_indexer(pd.Index(rows[column])) for column in ("task_a", "task_b"))
    overlap = np.full((len(epochs), len(tasks), len(tasks)), np.nan)
    overlap[version, first, second] = overlap[version, second, first] = rows["overlap"].to_numpy()
    overlap[:, np.arange(len(tasks)), np.arange(len(tasks))] = 1.0
    if len(rows) and min(first.min(), second.min()) < 0:
        raise explain_damage(path)
    if np.isnan(overlap).any():
        at, i, j = np.argwhere(np.isnan(overlap))[0]
        raise ResultsError(f"{path}: the mask set of epoch {epochs[at]} lacks the pair {tasks[i]}, {tasks[j]}. {MEND}")
    return epochs.astype(float), overlap


def read_mask_churn(path: Path) -> tuple[FloatArray, FloatArray]:
    """Read how much the masks changed at each update, from ``train.csv``.

    Returns:
        (U,) environment steps so far, all tasks together, and (U,) shares of the kept elements that were not kept
        before. U is 0 where masks were never updated.

    Raises:
        ResultsError: The file is missing or damaged.
    """
    rows = _read_columns(path, [ENV_STEPS, MASK_CHURN]).dropna()
    return rows[ENV_STEPS].to_numpy(float), rows[MASK_CHURN].to_numpy(float)


def verify_checksum(path: Path, expected: str) -> None:
    """Compare a file with the SHA-256 that ``result.json`` holds of it.

    Raises:
        ResultsError: The file is missing or is not the one that the run wrote.
    """
    try:
        found = sha256(path)
    except OSError as error:
        raise _unreadable(path, error) from None
    if found != expected:
        raise explain_damage(path)


def explain_damage(path: Path) -> ResultsError:
    """Describe what is wrong with a CSV file that is not what the run wrote: the torn line, if there is one."""
    line, problem = _find_damage(read_lines(path), numbers=False)
    if line:
        return _damaged(path, line, problem)
    result = path.with_name(RESULT)
    return ResultsError(f"{path}: changed since the run finished: it does not match the SHA-256 in {result}. {MEND}")


def _numbers(path: Path, lines: list[str], columns: int) -> FloatArray:
    """Return the numbers of the lines below the first: (lines, columns)."""
    try:
        values = np.loadtxt(lines[1:], delimiter=",", comments=None, ndmin=2)
        if values.shape == (len(lines) - 1, columns) and np.isfinite(values).all():
            return values
    except ValueError:
        pass
    raise _damaged(path, *_find_damage(lines, numbers=True))


def _find_damage(lines: list[str], numbers: bool) -> tuple[int, str]:
    """Find the first damaged line: its number, from 1, and what is wrong with it; 0 when every line is whole."""
    columns = len(lines[0].split(",")) if lines else 0
    for number, line in enumerate(lines, start=1):
        fields = line.rstrip("\r\n").split(",")
        if len(fields) != columns:
            return number, f"{len(fields)} fields instead of {columns}"
        if not line.endswith("\n"):
            return number, "the line breaks off"
        for field in fields if numbers and number > 1 else ():
            if not _is_number(field):
                return number, f"'{field:.40}' is not a finite number"
    return (0, "") if lines else (1, "the file is empty")


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _read_columns(path: Path, columns: list[str], size: int | None = None) -> pd.DataFrame:
    """Read some columns of a CSV file, or of the whole lines in its last ``size`` bytes."""
    data = _read_bytes(path, size)
    if size is not None:
        data = ",".join(columns).encode() + b"\n" + data.partition(b"\n")[2]
    try:
        return pd.read_csv(io.BytesIO(data), usecols=columns)
    except ValueError:  # pandas' errors are of this kind
        raise explain_damage(path) from None


def _read_bytes(path: Path, size: int | None = None) -> bytes:
    """Read a file, or its last ``size`` bytes."""
    try:
        with path.open("rb") as file:
            if size is not None:
                file.seek(max(0, path.stat().st_size - size))
            return file.read()
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> ResultsError:
    return ResultsError(f"{path}: cannot be read: {error.strerror}. {MEND}")


def _damaged(path: Path, line: int, problem: str) -> ResultsError:
    return ResultsError(f"{path}: line {line}: {problem}. {MEND}")
