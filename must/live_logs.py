"""Live logs beside the CSV files: TensorBoard and Weights & Biases, which go on where a run goes on.

None of them may end a run: what they cannot do is said once, and training goes on.
"""

from __future__ import annotations

import csv
import heapq
import importlib.util
import logging
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from must.config import LoggingConfig, RunConfig, result_settings
from must.errors import ConfigError
from must.run_files import ENV_STEPS, EPOCH, table

START_SECONDS = 30
"""How long the server of Weights & Biases may take to answer at the start."""
_LONGEST_NAME = 128

log = logging.getLogger("must")


class LiveLog(Protocol):
    """What takes the rows of ``eval.csv`` and ``train.csv`` as they are written."""

    def __call__(self, name: str, row: Mapping[str, Any]) -> None:
        """Take a row of the log of this name."""

    def sync(self) -> None:
        """Write out what was taken so far."""

    def close(self) -> None:
        """Write out what was taken, and end."""


def require_packages(settings: LoggingConfig) -> None:
    """Check that what the live logs need is installed.

    Raises:
        ConfigError: It is not.
    """
    if settings.wandb != "off" and importlib.util.find_spec("wandb") is None:
        raise ConfigError(
            f"logging.wandb: {settings.wandb} needs the package wandb, which is not part of the locked environment; "
            "pip install wandb, or set it to off"
        )


def open_live_logs(directory: Path, config: RunConfig, env_steps: int | None) -> list[LiveLog]:
    """Open the live logs that a run's settings ask for.

    Args:
        directory: The run directory.
        config: The run's settings.
        env_steps: Environment steps that the run goes on from: rows up to there are in the logs, later ones come again.
            None starts them anew.
    """
    makers: list[tuple[str, Callable[[], LiveLog]]] = []
    if config.logging.tensorboard:
        makers.append(("TensorBoard", lambda: _TensorBoard(directory, env_steps)))
    if config.logging.wandb != "off":
        makers.append(("Weights & Biases", lambda: _WandB(directory, config, env_steps is not None)))
    return [made for name, make in makers if (made := _Careful.make(name, make)) is not None]


class _Careful:
    """A live log that is dropped, with a warning, when it fails."""

    def __init__(self, name: str, inner: LiveLog) -> None:
        self._name, self._inner = name, inner
        self._works = True

    @classmethod
    def make(cls, name: str, make: Callable[[], LiveLog]) -> _Careful | None:
        try:
            return cls(name, make())
        except Exception as error:  # noqa: BLE001 - a library of others, and a network
            log.warning("no live log in %s: %s; the CSV files have everything", name, _first_line(error))
            return None

    def __call__(self, name: str, row: Mapping[str, Any]) -> None:
        self._try(lambda: self._inner(name, row))

    def sync(self) -> None:
        self._try(self._inner.sync)

    def close(self) -> None:
        self._try(self._inner.close)

    def _try(self, action: Callable[[], None]) -> None:
        if not self._works:
            return
        try:
            action()
        except Exception as error:  # noqa: BLE001 - as above
            self._works = False
            log.warning("the live log in %s ends here: %s; the CSV files go on", self._name, _first_line(error))


class _TensorBoard:
    """Event files of TensorBoard, one after another: a file is ended at each checkpoint.

    The library writes in a thread of its own, and its flush leaves out what that thread has not come to; ending the
    file waits for all of it.
    """

    def __init__(self, directory: Path, env_steps: int | None) -> None:
        self._place = directory / "tensorboard"
        # Of what earlier processes wrote, TensorBoard drops what comes again from this step on.
        self._writer = self._open(purge_step=0 if env_steps is None else env_steps + 1)

    def _open(self, purge_step: int | None = None) -> Any:
        from tensorboardX import SummaryWriter

        # The rest of a file's name is the second when it is begun, and the host.
        number = len(list(self._place.glob("*"))) if self._place.is_dir() else 0
        return SummaryWriter(str(self._place), purge_step=purge_step, filename_suffix=f".{number:06}")

    def __call__(self, name: str, row: Mapping[str, Any]) -> None:
        if self._writer is None:
            self._writer = self._open()
        for column, value in row.items():
            if isinstance(value, int | float) and column not in (EPOCH, ENV_STEPS):
                self._writer.add_scalar(f"{name}/{column}", value, row[ENV_STEPS])

    def sync(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    def close(self) -> None:
        self.sync()


class _WandB:
    """One run of Weights & Biases for a run directory, whatever number of processes train in it."""

    def __init__(self, directory: Path, config: RunConfig, resumed: bool) -> None:
        os.environ.setdefault("WANDB_SILENT", "true")  # its own lines would stand among those of the run
        import wandb

        place = directory / "wandb"
        place.mkdir(exist_ok=True)
        arguments: dict[str, Any] = {
            "project": "must",
            "dir": str(directory),
            "id": _run_id(place / "run-id"),
            "name": run_name(directory),
            "config": result_settings(config),
            "resume": "allow",
        }
        settings = wandb.Settings(console="off", silent=True, init_timeout=START_SECONDS, disable_git=True)
        try:
            if config.logging.wandb == "online":
                _require_key(wandb)
            self._run = wandb.init(**arguments, mode=config.logging.wandb, settings=settings)
        except Exception as error:
            if config.logging.wandb == "offline":
                raise
            log.warning(
                "logging.wandb: online, but %s: writing offline to %s, which wandb sync uploads later",
                _first_line(error),
                place,
            )
            self._run = wandb.init(**arguments, mode="offline", settings=settings)
        if resumed:  # a process that was killed took the newest rows with it
            known = int(self._run.step)  # by the server; offline 0
            for name, row in _logged(directory):
                if row[EPOCH] >= known:
                    self(name, row)

    def __call__(self, name: str, row: Mapping[str, Any]) -> None:
        # A step is an epoch: what a resumed run logs again has the steps that it had, which are there already.
        values = {f"{name}/{column}": value for column, value in row.items() if value is not None}
        self._run.log({**values, ENV_STEPS: row[ENV_STEPS]}, step=row[EPOCH])

    def sync(self) -> None:
        """Do nothing: the library writes when it likes, and what it had not written is logged again."""

    def close(self) -> None:
        self._run.finish()


def run_name(directory: Path) -> str:
    """Return the name of a run by its path: experiment and settings, without what leads there and without ``runs``."""
    parts = directory.resolve().parts
    if "runs" in parts[2:]:
        at = len(parts) - 1 - parts[::-1].index("runs")
        parts = (parts[at - 1], *parts[at + 1 :])
    else:
        parts = parts[-1:]
    return "/".join(parts)[-_LONGEST_NAME:]


def _logged(directory: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the rows of ``train.csv`` and ``eval.csv``, by epoch: (log, row)."""
    with (
        (directory / table("train")).open(newline="") as train,
        (directory / table("eval")).open(newline="") as evaluations,
    ):
        rows = (
            ((name, {EPOCH: int(row.pop(EPOCH)), **{key: float(text) for key, text in row.items() if text}}))
            for name, row in heapq.merge(
                (("train", row) for row in csv.DictReader(train)),
                (("eval", row) for row in csv.DictReader(evaluations)),
                key=lambda entry: int(entry[1][EPOCH]),
            )
        )
        yield from rows


def _run_id(path: Path) -> str:
    """Return the identifier of the run: the one that an earlier process made, else a new one."""
    known = path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
    if known.isalnum():
        return known
    made = secrets.token_hex(8)
    path.write_text(f"{made}\n", encoding="utf-8")
    return made


def _require_key(wandb: Any) -> None:
    """Check that the user has logged in: on a terminal the library would wait for somebody to type."""
    try:
        found = wandb.login(prompt=False)
    except TypeError:  # versions up to 0.30 have no such argument
        found = wandb.api.api_key
    if not found:
        raise ConfigError("there is no API key (wandb login)")


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]
