"""One process at a time works in a directory, on whatever file system that lies.

The lock is the system's own (flock). Where the file system has none, it is a file that exists as long as it is held.
Both say who holds them.
"""

from __future__ import annotations

import fcntl
import logging
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from must.errors import ConfigError, RunDirectoryError

LOCK, MARKER = ".lock", ".lock.owner"
"""The file that flock locks, which stays; and the file that stands for a lock where there is no flock."""
WAIT_VARIABLE, WAIT_MINUTES = "MUST_LOCK_WAIT_MINUTES", 5.0
"""How long a process waits for one of another machine: by default, longer than a cluster takes to end a lost job."""
POLL_SECONDS, UNKNOWN_SECONDS = 1.0, 1.0

log = logging.getLogger("must")


@dataclass(frozen=True)
class Owner:
    """A process, as others can recognize it."""

    pid: int
    host: str
    birth: str = ""
    """Start of the machine, number space of its processes, start of the process; empty where the system is silent."""

    @classmethod
    def current(cls) -> Owner:
        """Return the process that asks."""
        return cls(os.getpid(), platform.node(), _birth(os.getpid()))

    @classmethod
    def read(cls, path: Path) -> Owner | None:
        """Return whom a lock's file names, or None if it is not there or names nobody."""
        try:
            pid, host, *birth = path.read_text(encoding="utf-8").splitlines()
            return cls(int(pid), host, *birth)
        except (OSError, ValueError, TypeError):
            return None

    @property
    def record(self) -> bytes:
        """What a lock's file holds."""
        return f"{self.pid}\n{self.host}\n{self.birth}\n".encode()

    @property
    def here(self) -> bool:
        """Whether it is a process of this machine."""
        return self.host == platform.node()

    @property
    def gone(self) -> bool:
        """Whether it has certainly ended."""
        if not self.here:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            alive = False
        except OSError:
            alive = True  # another user's
        else:
            alive = True
        boot, space, *_ = [*self.birth.split(), "", ""]
        boot_now, space_now = _machine()
        if boot != boot_now:
            return bool(boot)  # the machine has been started since
        if space != space_now:
            return False  # the number means nothing here
        return not alive or self.birth != _birth(self.pid)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the lock of a directory that exists.

    A lock that a process of another machine holds is waited for: it may belong to a job that was lost with its node,
    and end with it. The variable ``MUST_LOCK_WAIT_MINUTES`` says how long (default 5).

    Raises:
        RunDirectoryError: Another process holds it.
        ConfigError: The variable is not a number of minutes.
    """
    patience = _patience()
    started, told = time.monotonic(), False
    while True:
        taken = _take(directory)
        if isinstance(taken, _Held):
            break
        waited = time.monotonic() - started
        if taken is None and waited < UNKNOWN_SECONDS:
            time.sleep(UNKNOWN_SECONDS / 10)  # it has been taken this moment, and its owner is still to be written
            continue
        if taken is None or taken.here or waited >= patience:
            raise RunDirectoryError(_refusal(directory, taken, waited))
        if not told:
            log.warning(
                "%s: %s holds its lock; waiting %g minutes for its end (%s)",
                *(directory, taken, patience / 60, WAIT_VARIABLE),
            )
            told = True
        time.sleep(min(POLL_SECONDS, patience - waited))
    try:
        yield
    finally:
        taken.release()


@dataclass(frozen=True)
class _Held:
    descriptor: int
    marker: Path | None

    def release(self) -> None:
        if self.marker is not None:
            self.marker.unlink(missing_ok=True)
        with suppress(OSError):
            os.ftruncate(self.descriptor, 0)
        os.close(self.descriptor)


def _take(directory: Path) -> _Held | Owner | None:
    """Take the lock, or return who holds it; None if that is not known."""
    path, marker = directory / LOCK, directory / MARKER
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)  # NFS locks only what is open for writing
    held = None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return Owner.read(path)
        except OSError as error:
            if not marker.exists():
                log.warning("%s: files cannot be locked there (%s); %s stands for a lock", directory, error, MARKER)
            if not _make(marker):
                return Owner.read(marker)
            held = _Held(descriptor, marker)
            return held
        try:
            if not os.path.samestat(os.fstat(descriptor), path.stat()):
                return None  # the directory has been moved aside this moment
        except FileNotFoundError:
            return None
        if marker.exists() and not _make(marker):
            return Owner.read(marker)  # it works on a machine where this file system has no locks
        with suppress(OSError):  # a full disk: the lock holds, only nobody can read whose it is
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, Owner.current().record, 0)
        held = _Held(descriptor, marker if marker.exists() else None)
        return held
    finally:
        if held is None:
            os.close(descriptor)


def _make(marker: Path) -> bool:
    """Make the file that stands for a lock; return whether this was done. One whose owner is gone is removed before."""
    before = Owner.read(marker)
    if before is not None and before.gone:
        aside = marker.with_name(f"{MARKER}.{os.getpid()}")
        with suppress(FileNotFoundError):
            marker.rename(aside)
            if Owner.read(aside) != before:  # somebody else was faster, and this is the lock that it has taken
                with suppress(FileExistsError):
                    os.link(aside, marker)
            aside.unlink()
    try:
        with marker.open("xb") as file:
            file.write(Owner.current().record)
    except FileExistsError:
        return False
    return True


def _refusal(directory: Path, owner: Owner | None, waited: float) -> str:
    text = f"{directory}: another process is training in it{f' ({owner})' if owner else ''}; wait for it or stop it"
    if owner is not None and owner.here:
        return text
    if owner is not None:
        text += f" (waited {waited / 60:.1f} minutes; {WAIT_VARIABLE} makes that longer)"
    marker = directory / MARKER
    return f"{text}; if it is gone, delete {marker}" if marker.exists() else text


def _patience() -> float:
    """Return the seconds to wait for a process of another machine."""
    text = os.environ.get(WAIT_VARIABLE, "")
    try:
        minutes = float(text or WAIT_MINUTES)
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes < float("inf"):
        raise ConfigError(f"{WAIT_VARIABLE}={text}: write a number of minutes, such as {WAIT_VARIABLE}=5")
    return 60 * minutes


def _machine() -> tuple[str, str]:
    """Return what tells starts of this machine apart, and what tells its spaces of process numbers apart."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return boot, str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        return "", ""


def _birth(pid: int) -> str:
    """Return `Owner.birth` of a process of this machine."""
    try:
        # The second field, the program's name in parentheses, may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return " ".join([*_machine(), fields[19]]) if all(_machine()) else ""
