"""A training on a disk of its own that fills up, or is read-only. Run it under ``unshare --map-root-user --mount``.

The disk is there for this process and its children only. What the training left is copied to ``DIR/left`` at the end.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.integration.conftest import FILES
from tests.integration.faults import EVERY_EPOCH, Run


def main(fault: str, place: Path) -> None:
    disk = place / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120m", "tmpfs", str(disk)], check=True)
    if fault == "read-only":
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        run = Run(place)
        run.command[run.command.index(str(run.directory))] = str(disk / "run")
        done = subprocess.run(run.command, capture_output=True, text=True)
        report(done.returncode, done.stderr)
        return
    often = EVERY_EPOCH if fault == "checkpoint" else ()
    run = Run(disk, *often, training={"epochs": 30})
    process = run.start(epochs=4)
    fill(disk / "ballast")
    _, errors = process.communicate(timeout=120)
    report(process.returncode, errors)
    (disk / "ballast").unlink()
    run.finish()
    (place / "left").mkdir()
    for name in FILES:
        shutil.copy(run.directory / name, place / "left")


def report(status: int, errors: str) -> None:
    """Tell the test how the training ended."""
    sys.stdout.write(json.dumps({"status": status, "errors": errors}))


def fill(path: Path) -> None:
    """Write until there is no room left for a byte."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
