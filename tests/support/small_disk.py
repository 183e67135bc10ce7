"""Trainings on a disk of their own that is read-only, and that fills up.

Run it under ``unshare --map-root-user --mount``. The disk is there for this process and its children only. What the
last training left is copied to ``DIR/left`` at the end.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.faults import EVERY_EPOCH, Run
from tests.support.helpers import ROOT
from tests.support.processes import FILES


def in_own_mounts(module: str, *arguments: Path) -> Any:
    """Run a module where it may mount disks of its own; return what it printed as JSON."""
    alone = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("no user namespaces here: a small disk cannot be made (sysctl kernel.unprivileged_userns_clone=1)")
    command = [*alone, sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def main(place: Path) -> None:
    disk = place / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=120m,{}", "tmpfs", str(disk)]
    errors = {}

    subprocess.run([part.format("ro") for part in mount], check=True)
    run = Run(place, name="read-only")
    run.command[run.command.index(str(run.directory))] = str(disk / "run")
    errors["read-only"] = failed(run.start())
    subprocess.run(["umount", str(disk)], check=True)

    subprocess.run([part.format("rw") for part in mount], check=True)
    for fault, options in (("logging", ()), ("checkpoint", EVERY_EPOCH)):  # the second goes on from the first one's end
        run = Run(disk, *options, training={"epochs": 30})
        process = run.start(epochs=run.epochs + 4)
        fill(disk / "ballast", process)
        errors[fault] = failed(process)
        (disk / "ballast").unlink()
    run.finish()
    (place / "left").mkdir()
    for name in FILES:
        shutil.copy(run.directory / name, place / "left")
    sys.stdout.write(json.dumps(errors))


def failed(process: subprocess.Popen[str]) -> str:
    """Wait for the end of a training that must fail; return its error stream."""
    _, errors = process.communicate(timeout=120)
    if process.returncode != 2:
        raise SystemExit(f"status {process.returncode}: {errors}")
    return errors


def fill(path: Path, process: subprocess.Popen[Any]) -> None:
    """Write until there is no room left for a byte. The process waits meanwhile, or it may end before."""
    process.send_signal(signal.SIGSTOP)
    try:
        with path.open("wb", buffering=0) as file:
            for size in (1 << 20, 4096):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))
    finally:
        process.send_signal(signal.SIGCONT)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
