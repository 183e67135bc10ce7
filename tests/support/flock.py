"""File systems without locks, or with those of NFS: a library that stands before flock(2) in whatever is started."""

from __future__ import annotations

import subprocess
from pathlib import Path

SOURCE = r"""
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

int flock(int descriptor, int operation) {
    const char *error = getenv("FLOCK_ERROR");
    if (error) {
        errno = atoi(error);
        return -1;
    }
    if ((operation & LOCK_EX) && (fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_RDONLY) {
        errno = EBADF; /* as NFS 4 has it */
        return -1;
    }
    return syscall(SYS_flock, descriptor, operation);
}
"""


def strange_locks(place: Path, error: int | None = None) -> dict[str, str]:
    """Return the variables under which a program finds flock as NFS 4 has it, or failing with an error number."""
    source, library = place / "flock.c", place / "flock.so"
    if not library.exists():
        source.write_text(SOURCE, encoding="utf-8")
        done = subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], capture_output=True, text=True)
        assert done.returncode == 0, f"this test needs a C compiler (Debian: gcc, libc6-dev): {done.stderr}"
    return {"LD_PRELOAD": str(library)} | ({} if error is None else {"FLOCK_ERROR": str(error)})
