"""The logs of a run: CSV files that can be cut back to a checkpoint, and live logs as a choice."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from must import run_files
from must.config import RunConfig
from must.errors import RunDirectoryError
from must.files import naming
from must.live_logs import open_live_logs


class CsvLog:
    """A CSV file that grows by whole rows."""

    def __init__(self, path: Path, columns: Sequence[str], position: int | None) -> None:
        """Open the file.

        Args:
            path: Where it lies.
            columns: Its header, if it is new; an existing file keeps the columns that it has.
            position: Bytes to keep of an existing file (a checkpoint knows them); None starts it anew.

        Raises:
            RunDirectoryError: The file lacks some of these bytes.
        """
        self._path, self._columns = path, list(columns)
        self._file: BinaryIO
        if position is None:
            self._file = path.open("wb")
            self._write(self._columns)
        else:
            size = path.stat().st_size
            if size < position:
                raise RunDirectoryError(
                    f"{path}: is damaged: it has {size} bytes, of which the checkpoint knows {position}; "
                    f"delete {path.parent} to train the run from the start"
                )
            self._file = path.open("r+b")
            # An earlier version may have begun it, with fewer columns.
            self._columns = self._file.readline().decode().rstrip("\n").split(",")
            self._file.truncate(position)
            self._file.seek(position)

    def append(self, row: Mapping[str, Any]) -> None:
        """Append one row; a missing or None value leaves its field empty."""
        self._write([_text(row.get(column)) for column in self._columns])

    def position(self) -> int:
        """Return the size of the file in bytes."""
        return self._file.tell()

    def sync(self) -> None:
        """Force what was written onto the disk."""
        with naming(self._path):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, fields: Sequence[str]) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(fields)
        with naming(self._path):
            self._file.write(line.getvalue().encode())
            self._file.flush()


class RunLog:
    """All logs of a run."""

    def __init__(
        self,
        directory: Path,
        config: RunConfig,
        train_columns: Sequence[str],
        positions: Mapping[str, int] | None,
        env_steps: int | None,
    ) -> None:
        """Open the logs.

        Args:
            directory: The run directory.
            config: The run's settings.
            train_columns: Columns of ``train.csv`` after the epoch and the environment steps.
            positions: Bytes to keep of each file, from a checkpoint; None starts them anew.
            env_steps: Environment steps at that checkpoint; None without one.
        """
        headers = (
            run_files.evaluation_columns(config.env.task_names),
            [run_files.EPOCH, run_files.ENV_STEPS, *train_columns],
            run_files.MASK_COLUMNS,
            run_files.TIMING_COLUMNS,
        )
        self._logs = {
            name: CsvLog(directory / run_files.table(name), header, None if positions is None else positions[name])
            for name, header in zip(run_files.LOGS, headers, strict=True)
        }
        self._live = open_live_logs(directory, config, env_steps)

    def append(self, log: str, row: Mapping[str, Any]) -> None:
        """Append a row to ``eval``, ``train``, ``masks`` or ``timing``."""
        self._logs[log].append(row)
        if log in ("eval", "train"):
            for live in self._live:
                live(log, row)

    def positions(self) -> dict[str, int]:
        """Return the sizes of all logs in bytes."""
        return {name: log.position() for name, log in self._logs.items()}

    def sync(self) -> None:
        """Force all logs onto the disk."""
        for log in self._logs.values():
            log.sync()
        for live in self._live:
            live.sync()

    def close(self) -> None:
        """Close all logs."""
        for log in self._logs.values():
            log.close()
        for live in self._live:
            live.close()


def _text(value: Any) -> str:
    """Write a number with nine significant digits, which tell every float32 apart."""
    if value is None:
        return ""
    return format(value, ".9g") if isinstance(value, float) else str(value)
