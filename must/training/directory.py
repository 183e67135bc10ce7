"""The run directory: who may write to it, and what it holds already."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from must.buffers.replay import ROW_DIM
from must.config import RunConfig, dump, identity, read_recorded
from must.errors import ConfigError, RunDirectoryError
from must.files import nearest, write_atomically
from must.locks import LOCK, MARKER, locked
from must.run_files import CONFIG


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
    _other_run(directory, config, keep_old)  # before anything is written to what belongs to something else
    text = dump(config).encode()
    while True:
        directory.mkdir(parents=True, exist_ok=True)
        with locked(directory):
            # Another process may have had it until now; and a run is moved only when no process works in it.
            other = _other_run(directory, config, keep_old)
            if other is None:
                write_atomically(directory / CONFIG, lambda file: file.write(text))
                yield
                return
            _move_aside(directory, other)


def _other_run(directory: Path, config: RunConfig, keep_old: bool) -> str | None:
    """Return a short name of the run of another configuration that is there, or None if there is none.

    Raises:
        RunDirectoryError: The directory belongs to something else, or to such a run, which was not to be moved.
    """
    if directory.exists() and not directory.is_dir():
        raise RunDirectoryError(f"{directory}: is a file; give --out a directory")
    if not directory.is_dir() or all(path.name.startswith(LOCK) for path in directory.iterdir()):
        return None
    if not (directory / CONFIG).exists():
        raise RunDirectoryError(f"{directory}: holds files that are not a run of this program; give --out another one")
    try:
        found = identity(read_recorded(directory / CONFIG))
    except ConfigError as error:
        if not keep_old:
            raise RunDirectoryError(
                f"{directory}: holds a run whose configuration cannot be read; give --out another directory\n{error}"
            ) from None
        found = "unreadable"
    if found == identity(config):
        return None
    if not keep_old:
        raise RunDirectoryError(
            f"{directory}: holds a run of another configuration (see its {CONFIG}); "
            "give --out another directory, or --keep-old to move that run aside"
        )
    return found[:8]


def _move_aside(directory: Path, suffix: str) -> None:
    target, number = directory.with_name(f"{directory.name}.{suffix}"), 1
    while target.exists():
        number += 1
        target = directory.with_name(f"{directory.name}.{suffix}-{number}")
    directory.rename(target)
    (target / MARKER).unlink(missing_ok=True)


def _check_space(directory: Path, config: RunConfig) -> None:
    """Refuse to start a run whose checkpoints would not fit on the disk."""
    training = config.training
    frames = (training.pretrain_epochs + training.epochs) * training.epoch_frames * len(config.env.task_names)
    needed = 50_000_000 + 4 * ROW_DIM * min(config.sac.buffer_size, frames)
    free = shutil.disk_usage(nearest(directory.resolve())).free
    if free < needed:
        raise RunDirectoryError(
            f"{directory}: no disk space: a run needs about {needed / 1e6:.0f} MB there, {free / 1e6:.0f} MB are free; "
            "make room, give --out another disk, or lower sac.buffer_size"
        )
