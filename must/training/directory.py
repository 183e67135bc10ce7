"""The run directory: who may write to it, and what it holds already."""

from __future__ import annotations

import errno
import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from must.buffers.replay import ROW_DIM
from must.config import RunConfig, dump, identity, load_experiment
from must.errors import ConfigError, RunDirectoryError
from must.files import write_atomically

CONFIG, MANIFEST, RESULT, FINAL = "config.yaml", "manifest.json", "result.json", "final.pt"
LOCK, CHECKPOINTS = ".lock", "checkpoints"


@contextmanager
def claimed(directory: Path, config: RunConfig, keep_old: bool) -> Iterator[None]:
    """Claim a directory for a run of this configuration, and write the configuration to it.

    Args:
        directory: Made when it does not exist.
        config: The run's settings.
        keep_old: Move a run of another configuration aside, to a name with its hash, instead of refusing.

    Raises:
        RunDirectoryError: It belongs to something else, another process works in it, or there is no room on the disk.
    """
    _check_space(directory, config)
    _check_content(directory, config, keep_old)
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise RunDirectoryError(f"{directory}: another process is training in it; wait for it or stop it") from None
        text = dump(config)
        write_atomically(directory / CONFIG, lambda file: file.write(text.encode()))
        yield


def _check_content(directory: Path, config: RunConfig, keep_old: bool) -> None:
    if directory.exists() and not directory.is_dir():
        raise RunDirectoryError(f"{directory}: is a file; give --out a directory")
    if not directory.is_dir() or not any(path.name != LOCK for path in directory.iterdir()):
        return
    if not (directory / CONFIG).exists():
        raise RunDirectoryError(f"{directory}: holds files that are not a run of this program; give --out another one")
    try:
        found = identity(load_experiment(directory / CONFIG).run_config())
    except ConfigError as error:
        if not keep_old:
            raise RunDirectoryError(
                f"{directory}: holds a run whose configuration cannot be read; give --out another directory\n{error}"
            ) from None
        found = "unreadable"
    if found == identity(config):
        return
    if not keep_old:
        raise RunDirectoryError(
            f"{directory}: holds a run of another configuration (see its {CONFIG}); "
            "give --out another directory, or --keep-old to move that run aside"
        )
    _move_aside(directory, found[:8])


def _move_aside(directory: Path, suffix: str) -> None:
    target, number = directory.with_name(f"{directory.name}.{suffix}"), 1
    while target.exists():
        number += 1
        target = directory.with_name(f"{directory.name}.{suffix}-{number}")
    directory.rename(target)


def _check_space(directory: Path, config: RunConfig) -> None:
    """Refuse to start a run whose checkpoints would not fit on the disk."""
    training = config.training
    frames = (training.pretrain_epochs + training.epochs) * training.epoch_frames * len(config.env.task_names)
    needed = 50_000_000 + 4 * ROW_DIM * min(config.sac.buffer_size, frames)
    place = next(path for path in (directory.resolve(), *directory.resolve().parents) if path.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise RunDirectoryError(
            f"{directory}: no disk space: a run needs about {needed / 1e6:.0f} MB there, {free / 1e6:.0f} MB are free; "
            "make room, give --out another disk, or lower sac.buffer_size"
        )
