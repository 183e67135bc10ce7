"""What to type for the rest of a sweep: the command, and what is to be done before it."""

from __future__ import annotations

import shlex
from pathlib import Path

from must.config import Experiment, load_experiment
from must.errors import ConfigError
from must.run_files import CONFIG
from must.sweep.head import Head
from must.sweep.places import nearest_name


def going_on(experiment: Experiment, directory: Path, head: Head | None, source: Path | None) -> str:
    """Return the command that trains what is left.

    Args:
        experiment: The one to be trained.
        directory: Where its runs lie.
        head: Its newest head; None where none has written anything down.
        source: The file that it was read from, where a user has named one.
    """
    if source is None:
        return head.command if head is not None else _make(_file_of(experiment, directory))
    if head is None:
        return _make(source)
    return head.command if _holds(directory / CONFIG, experiment) else _with_file(head.command, source)


def before_going_on(experiment: Experiment, directory: Path, head: Head | None, begun: bool) -> str:
    """Return what to know before typing that command: that it trains elsewhere; empty where it trains in the directory.

    The workflow trains into ``results/NAME`` of the folder that it is started in; nothing tells it otherwise.

    Args:
        experiment: The one to be trained.
        directory: Where its runs lie.
        head: Its newest head; None where none has written anything down.
        begun: Whether any of the runs there is one to go on from.
    """
    target, place = Path("results", experiment.name), directory.resolve()
    if place == target.resolve():
        return ""
    started_in = place.parent.parent
    if head is not None and place == started_in / target and (started_in / ".snakemake").is_dir():
        return f"give this command in {started_in}, where the sweep was started"
    if not begun:
        return f"it trains into {target}"
    if target.exists():
        return f"it goes on with what lies in {target}; {directory} stays as it is"
    return f"it trains into {target}, so all runs anew; to go on from {directory}, copy that to {target} first"


def _file_of(experiment: Experiment, directory: Path) -> Path:
    """Return the file in ``config/`` that says the same, or the merged one of the directory."""
    own = directory / CONFIG
    return next((path for path in sorted(Path("config").glob("*.yaml")) if _holds(path, experiment)), own)


def _holds(path: Path, experiment: Experiment) -> bool:
    """Return whether a file holds this very experiment."""
    try:
        return load_experiment(path) == experiment
    except ConfigError:
        return False


def _make(config: Path) -> str:
    return shlex.join(["make", "reproduce", f"CONFIG={nearest_name(config)}"])


def _with_file(command: str, config: Path) -> str:
    """Return a command of an earlier invocation, such as one with a profile, with another experiment file."""
    words = shlex.split(command)
    if words[:1] == ["make"]:
        return shlex.join(
            [*(word for word in words if not word.startswith("CONFIG=")), f"CONFIG={nearest_name(config)}"]
        )
    if "--configfile" in words[:-1]:
        words[words.index("--configfile") + 1] = nearest_name(config)
        return shlex.join(words)
    return _make(config)
