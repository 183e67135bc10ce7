"""Standard input, output and error as they may be: closed, a pipe that nobody reads any more, a full disk."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

EXIT_BROKEN_PIPE = 141
"""What a shell reports of a program that the signal SIGPIPE ended: 128 + 13."""


def open_closed() -> None:
    """Open those of the three that are closed (``2>&-``) on nothing, before a file of the run takes their number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            _point_at_nothing(number)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def require_directory() -> None:
    """Check that the current directory is still there: libraries that look for files end the process without it.

    Raises:
        FileNotFoundError: It is not.
    """
    try:
        os.getcwd()  # noqa: PTH109
    except OSError:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "the current directory") from None


def guarded(command: Callable[[], int]) -> int:
    """Run a command; return its exit status, or 141 where nobody reads what it prints any more.

    What it printed is written out before this returns, so that a disk that is full is an error here.
    """
    open_closed()
    try:
        try:
            return command()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        discard()
        return EXIT_BROKEN_PIPE
    finally:
        _flush_or_discard(2, sys.stderr)


def quiet_console() -> Console:
    """Return a console of rich that leaves a broken pipe to `guarded`."""
    from rich import console

    class Quiet(console.Console):
        def on_broken_pipe(self) -> None:
            """Raise it: rich would end the program with a status of its own."""
            raise BrokenPipeError

    return Quiet()


def discard() -> None:
    """Let what could not be written go nowhere: the interpreter would try once more when it ends."""
    _flush_or_discard(1, sys.stdout)
    _flush_or_discard(2, sys.stderr)


def complain(message: str) -> None:
    """Describe on the error stream what is wrong, as far as anybody reads it."""
    with suppress(OSError):
        sys.stderr.write(f"must: {message}\n")


def announce(text: str) -> None:
    """Print a line with the time, at once."""
    sys.stdout.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
    sys.stdout.flush()


def explain(error: OSError) -> str:
    """Describe in one line what the system would not do, with which file, and what to do about it."""
    place = f"{error.filename}" if error.filename is not None else "output"
    if error.filename2 is not None:
        place += f" -> {error.filename2}"
    if error.errno == errno.EEXIST and error.filename is not None and os.path.islink(error.filename):  # noqa: PTH114
        return f"{place}: is a link to {os.readlink(error.filename)}, which is not there; make it, or remove the link"  # noqa: PTH115
    reason = error.strerror or str(error) or type(error).__name__
    return f"{place}: {_ADVICE.get(error.errno or 0, f'{reason}; look at the path, or give another one')}"


_ADVICE = {
    errno.ENOSPC: "no space left on the disk; make room, and run the same command again",
    errno.EDQUOT: "the disk quota is used up; make room, and run the same command again",
    errno.EROFS: "the file system is read-only; choose another output directory",
    errno.EACCES: "permission denied; choose a path that you may read and write",
    errno.EPERM: "operation not permitted; choose a path that you may read and write",
    errno.ENOTDIR: "a part of the path is a file; choose another directory",
    errno.EEXIST: "something of this name is in the way; remove it, or choose another path",
    errno.EISDIR: "is a directory; give a file",
    errno.ENOENT: "is not there; check the path",
    errno.ENAMETOOLONG: "the name is too long for the file system; choose a shorter path",
    errno.ELOOP: "links that lead in a circle; choose another path",
    errno.EMFILE: "too many open files; raise the limit (ulimit -n), and run the same command again",
    errno.ENFILE: "too many open files on this machine; run the same command again later",
    errno.EIO: "the disk reports an error; look at it, and run the same command again",
    errno.ESTALE: "the file system lost the file (stale handle); run the same command again",
    errno.ENOMEM: "no memory left; use a machine with more, and run the same command again",
}


def _flush_or_discard(number: int, stream: TextIO) -> None:
    try:
        stream.flush()
    except OSError:
        _point_at_nothing(number)


def _point_at_nothing(number: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    if nothing != number:
        os.dup2(nothing, number)
        os.close(nothing)
    os.set_inheritable(number, True)
