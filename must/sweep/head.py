"""What the head of an experiment, the Snakemake that trains it, writes down for whoever asks how it stands.

``results/<name>/invocation.json``: the command, the runs it means to train, how many at a time, and whose it is. It is
written when the head starts, and says so when it ends; a head that was killed is told by its process.
"""

from __future__ import annotations

import atexit
import json
import os
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from must.files import write_atomically
from must.locks import Owner
from must.sweep.tails import changed, json_object

RECORD = "invocation.json"
DEFAULTS = {"CONFIG": "config/quick.yaml", "PROFILE": "workflow/profiles/local"}
"""What `make reproduce` takes for what is not given."""


@dataclass(frozen=True)
class Head:
    """A Snakemake that trains an experiment, or has trained it."""

    command: str
    """As the user typed it: the same command goes on."""
    at_once: int
    """Runs that it trains at a time, at most."""
    planned: frozenset[str]
    """Paths of the runs that it found to be trained when it started."""
    owner: Owner
    started: float
    """When it wrote this down, by the clock of the results' file system."""
    ended: bool

    @property
    def at_work(self) -> bool:
        """Whether it is; one on another machine is taken to be until it says that it has ended."""
        return not self.ended and not self.owner.gone


def typed_command(arguments: Sequence[str], variables: Mapping[str, str]) -> str:
    """Return the command that a user typed to start this Snakemake: `make reproduce ...`, or `snakemake ...`.

    Args:
        arguments: The process's, its program apart.
        variables: Its environment: what make handed on.
    """
    if variables.get("MUST_TARGET") == "reproduce":
        given = [
            f"{name}={variables[name]}" for name in DEFAULTS if variables.get(name, DEFAULTS[name]) != DEFAULTS[name]
        ]
        return shlex.join(["make", "reproduce", *given])
    return shlex.join(["snakemake", *arguments])


def record_head(directory: Path, command: str, at_once: int, planned: Sequence[str]) -> None:
    """Write down the head that this process is; when the process ends, that is written down too."""
    owner = Owner.current()
    content = {
        "command": command,
        "at_once": at_once,
        "pid": owner.pid,
        "host": owner.host,
        "birth": owner.birth,
        "ended": False,
        "runs": list(planned),
    }
    path = (directory / RECORD).absolute()  # Snakemake leaves its working directory before it ends

    def write() -> None:
        write_atomically(path, lambda file: file.write((json.dumps(content, indent=1) + "\n").encode()))

    def end() -> None:
        if os.getpid() == owner.pid and json_object(path).get("pid") == owner.pid:
            content["ended"] = True
            # The time of the start is that of the file: it is kept.
            started = changed(path)
            with suppress(OSError):
                write()
                os.utime(path, (started, started))

    write()
    atexit.register(end)


def read_head(directory: Path) -> Head | None:
    """Return the newest head of an experiment; None where none has written anything down."""
    path = directory / RECORD
    started, content = changed(path), json_object(path)
    try:
        return Head(
            str(content["command"]),
            max(1, int(content["at_once"])),
            frozenset(map(str, content["runs"])),
            Owner(int(content["pid"]), str(content["host"]), str(content.get("birth", ""))),
            started,
            bool(content["ended"]),
        )
    except (KeyError, TypeError, ValueError):
        return None
