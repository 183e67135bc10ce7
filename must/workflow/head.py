"""The head, which is the Snakemake that a user starts: where it can work, and what one that was killed has left behind.

Snakemake locks the files that it makes, and a head that is killed leaves its locks. Beside each lock lies whose it is,
so that the next head knows whether its owner is gone. What the killed head had started may still be working then.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from must.errors import ConfigError
from must.locks import LOCK, Owner

LOCKS = Path(".snakemake", "locks")
STOPPING = (
    b"\nmust: stopping at once; what runs have done since their last checkpoint will be done again (once more Ctrl-C: "
    b"without waiting for them)\n"
)


def check_place(here: str, files: Iterable[str], in_image: bool, on_cluster: bool) -> None:
    """Refuse paths that Snakemake does not quote where it starts jobs in the image or on a cluster.

    Raises:
        ConfigError: There is one.
    """
    unsafe = [here] if in_image and (":" in here or repr(here) != f"'{here}'") else []
    if on_cluster:
        unsafe += [path for path in (here, *files) if path != shlex.quote(path)]
    if unsafe:
        raise ConfigError(
            f"{unsafe[0]}: Snakemake cannot start jobs {'' if on_cluster else 'in the image '}with this path; "
            "move it, or rename it to letters, digits, and . _ - + / alone"
        )


@dataclass
class Left:
    """Owners of the locks that a head finds when it starts."""

    gone: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    at_work: set[str] = field(default_factory=set)


def heed_interrupts() -> None:
    """Let the first Ctrl-C stop the sweep, as ever, and later ones not break into that.

    The programs of a terminal get each Ctrl-C themselves: with the second one, runs stop at once. A third one ends the
    head at once, whatever it waits for.
    """
    times = 0

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal times
        times += 1
        if times == 1:
            signal.default_int_handler(number, frame)
        # Not by `say`: a signal may come in the middle of what is being written there.
        if times == 2:
            os.write(2, STOPPING)
            return
        if os.isatty(2):
            os.write(2, b"\x1b[?25h")  # the bar has hidden the cursor
        os._exit(128 + number)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)


def clear_locks(arguments: Sequence[str], locks: Path = LOCKS) -> Left:
    """Remove the locks of heads that are gone, say how to remove unknown ones; return what was found.

    Args:
        arguments: Those of this Snakemake.
        locks: Snakemake's directory of locks.
    """
    left = Left()
    for lock in sorted(locks.glob("*.lock")):
        record = lock.with_suffix(".owner")
        with suppress(FileNotFoundError):
            owner = Owner.read(record)
            if owner and record.stat().st_mtime_ns < lock.stat().st_mtime_ns:
                owner = None  # of an earlier lock of the same name
            if owner and owner.gone:
                left.gone.add(str(owner))
                lock.unlink()
                record.unlink()
            elif owner and owner.here:
                left.at_work.add(str(owner))
            else:
                left.unknown.add(str(owner or "unknown process"))
    if left.gone:
        say(f"the Snakemake that was at work here is gone ({', '.join(left.gone)}); this one goes on")
    if left.unknown and "--unlock" not in arguments:
        unlock = [sys.executable, "-m", "snakemake", "--unlock", *arguments]
        say(
            f"another Snakemake has locked files here ({', '.join(left.unknown)}). If it is no longer at work:\n"
            f"    {shlex.join(unlock)}\nand then the same command again"
        )
    return left


def sign_locks(locks: Iterable[Path]) -> None:
    """Write beside each lock of this head whose it is."""
    for lock in locks:
        lock.with_suffix(".owner").write_bytes(Owner.current().record)


def wait_for_others(runs: Sequence[Path], jobs: Callable[[], list[str]], cancel: str = "scancel") -> None:
    """Wait for jobs that a killed head has left at work: their runs refuse a second process.

    Args:
        runs: Directories of the experiment's runs.
        jobs: Gives the cluster's jobs that a killed head submitted.
        cancel: The program that takes them out of the queue.
    """
    told = False
    while True:
        processes = [str(owner.pid) for owner in run_owners(runs)]
        submitted = jobs()
        if not processes and not submitted:
            return
        if not told:
            end = f"{cancel} {' '.join(submitted)}" if submitted else f"kill {' '.join(processes)}"
            say(
                "runs of this experiment are still being trained by an earlier invocation; waiting for them. Where "
                f"they stand is saved, and used here, if you stop them:\n    {end}"
            )
            told = True
        time.sleep(1 if processes and not submitted else 10)


def run_owners(runs: Iterable[Path]) -> set[Owner]:
    """Return the processes of this machine that train one of these runs."""
    owners = (Owner.read(file) for run in runs for file in run.glob(f"{LOCK}*"))
    return {owner for owner in owners if owner and owner.here and not owner.gone}


def say(text: str) -> None:
    """Print a line for the user, at once."""
    sys.stderr.write(f"must: {text}\n")
    sys.stderr.flush()
