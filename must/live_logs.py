"""Live logs beside the CSV files: TensorBoard and Weights & Biases, which go on where a run goes on.

None of them may end a run: what they cannot do is said once, and training goes on.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from must.config import LoggingConfig, RunConfig
from must.errors import ConfigError
from must.run_files import ENV_STEPS, EPOCH
from must.wandb_log import WandB, first_line

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
        makers.append(("Weights & Biases", lambda: WandB(directory, config, env_steps is not None)))
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
            log.warning("no live log in %s: %s; the CSV files have everything", name, first_line(error))
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
            log.warning("the live log in %s ends here: %s; the CSV files go on", self._name, first_line(error))


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
