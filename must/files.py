"""Writing files so that a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> str:
    """Write a file aside, force it onto the disk, and rename it into place; return its SHA-256.

    Args:
        path: Where it shall lie; its directory must exist.
        write: Called with the open file.

    Raises:
        OSError: It cannot be written; the error names the path, or the directory that is not there.
    """
    aside = path.with_name(f".{path.name}.tmp")
    try:
        with naming(path), aside.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        digest = sha256(aside)
        aside.replace(path)
    except BaseException as error:
        with suppress(OSError):  # where a file cannot be made, none is there
            aside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename == str(aside):
            raise _of_path(error, path) from None
        raise
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # the rename itself
    finally:
        os.close(descriptor)
    return digest


def _of_path(error: OSError, path: Path) -> OSError:
    """Return an error of the file beside a path as one of the path itself."""
    if error.errno != errno.ENOENT:
        return OSError(error.errno, error.strerror, str(path))
    if not path.parent.exists():
        return OSError(errno.ENOENT, error.strerror, str(path.parent))
    return OSError(errno.EPERM, os.strerror(errno.EPERM), str(path))  # a place of the system's, such as /proc


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the system name the file: one from an open file names none.

    A library that was writing when the system's error came may raise one of its own instead, as PyTorch does: the
    system's is what a user can mend.
    """
    try:
        yield
    except Exception as error:
        told: BaseException | None = error
        while told is not None and not isinstance(told, OSError):
            told = told.__context__
        if told is None:
            raise
        if told.filename is None and told.errno is not None:
            raise OSError(told.errno, told.strerror, str(path)) from None
        raise told from None


def nearest(path: Path) -> Path:
    """Return the path itself if it is there, else the nearest folder above it that is."""
    return next(place for place in (path, *path.parents) if place.exists())


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
