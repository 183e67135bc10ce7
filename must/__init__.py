"""MUST: multi-task sparse training, and the pipeline that reproduces it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from must.data import Data

__version__ = "0.1.0"
__all__ = ["load"]


def load(directory: str | Path) -> Data:
    """Read the tidy data of an experiment, such as ``results/quick``, as data frames (docs/data.md).

    Args:
        directory: That of the experiment, for which ``must aggregate`` has written its data.

    Raises:
        ResultsError: There is no such data, or it cannot be read.
    """
    from must.data import load  # pandas takes a second, which every command would pay

    return load(directory)
