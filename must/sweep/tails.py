"""Reading files that another process is writing: what is whole counts, what is missing or torn is not there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

TAIL_BYTES = 8192


def last_lines(path: Path, size: int = TAIL_BYTES) -> list[str]:
    """Return the whole lines at the end of a text file, as many as fit into ``size`` bytes; none where it is not there.

    A line that does not end yet, and one whose beginning lies further up, are left out.
    """
    try:
        with path.open("rb") as file:
            length = os.fstat(file.fileno()).st_size
            start = max(0, length - size)
            file.seek(start)
            text = file.read(size)
    except OSError:
        return []
    lines = text.decode("utf-8", errors="replace").split("\n")
    return lines[1 if start else 0 : -1]


def last_rows(path: Path, columns: int, size: int = TAIL_BYTES) -> list[list[float]]:
    """Return the first ``columns`` numbers of the rows at the end of a CSV log; the header is no row.

    Args:
        path: The log.
        columns: Columns to read; an empty field, or a row that lacks them, leaves the row out.
        size: Bytes to look at.
    """
    rows = []
    for line in last_lines(path, size):
        fields = line.split(",", columns)[:columns]
        try:
            numbers = [float(field) for field in fields]
        except ValueError:
            continue
        if len(numbers) == columns:
            rows.append(numbers)
    return rows


def all_rows(path: Path, columns: int) -> list[list[float]]:
    """Return the first ``columns`` numbers of every row of a CSV log."""
    try:
        return last_rows(path, columns, path.stat().st_size)
    except OSError:
        return []


def json_object(path: Path) -> dict[str, Any]:
    """Return a JSON object; an empty one where the file is not there, or is none."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def newest(paths: Iterable[Path]) -> float:
    """Return when the newest of some files was changed, by the clock of their file system; 0 where there is none."""
    return max((changed(path) for path in paths), default=0.0)


def changed(path: Path) -> float:
    """Return when a file was changed, by the clock of its file system; 0 where it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
