"""Writing the results of the analysis."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from must import files
from must.errors import ResultsError


def write_atomically(path: Path, content: bytes | Iterable[str]) -> Path:
    """Write a file as a whole or not at all, from its bytes or from pieces of its text; return its path.

    Raises:
        ResultsError: The file cannot be written.
    """
    pieces = [content] if isinstance(content, bytes) else (piece.encode() for piece in content)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomically(path, lambda file: file.writelines(pieces))
    except OSError as error:
        mend = "make room, or give --results a directory that you may write to"
        raise ResultsError(f"{path}: cannot be written: {error.strerror}; {mend}") from None
    return path
