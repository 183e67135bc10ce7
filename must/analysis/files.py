"""Writing the results of the analysis."""

from __future__ import annotations

from pathlib import Path

from must import files
from must.errors import ResultsError


def write_atomically(path: Path, content: bytes) -> Path:
    """Write a file as a whole or not at all, and return its path.

    Raises:
        ResultsError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomically(path, lambda file: file.write(content))
    except OSError as error:
        mend = "make room, or give --results a directory that you may write to"
        raise ResultsError(f"{path}: cannot be written: {error.strerror}; {mend}") from None
    return path
