"""How one run stands, by its files."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from must.files import sha256
from must.locks import LOCK, MARKER, Owner
from must.run_files import CHECKPOINTS, CONFIG, MANIFEST, RESULT, TEXT_LOG, table
from must.sweep.tails import changed, json_object, last_lines, last_rows, newest

SILENCE = 15 * 60.0
"""Seconds without a sign of life after which a run of another machine is taken to have ended. Clocks that differ by
less than this do no harm."""
FULL = 64 * 1024
"""Free bytes below which a disk is full: a run could not even write down why it ended."""
START = 120.0
"""Seconds that a job may take from its log's first byte to its run's lock."""
_ERROR = re.compile(r"must: (?!stopped at once)(?P<text>.+)|(?P<python>([\w.]+\.)?\w*(Error|Exception)\b.*)")
_ON_REQUEST = ("KeyboardInterrupt", "StopRequested")
"""What a manifest has for an error when somebody stopped the run without waiting for its checkpoint."""


class State(StrEnum):
    """How a run stands."""

    FINISHED = "finished"
    """It has a result, under the settings that the experiment asks for."""
    RUNNING = "running"
    """A process is training it."""
    WAITING = "waiting"
    """A Snakemake that is at work has it in its plan."""
    INTERRUPTED = "interrupted"
    """It was begun, and no process is training it: asked to stop, or killed. It goes on from its checkpoint."""
    FAILED = "failed"
    """It ended with an error."""
    DAMAGED = "damaged"
    """It has a result, but not the logs that the result was written of: no table can be made of it."""
    STALE = "stale"
    """What lies there was made under other settings: it will be moved aside, and the run trained anew."""
    MISSING = "missing"
    """Nobody has begun it."""


@dataclass(frozen=True)
class Surroundings:
    """What is known of the whole when one run is looked at."""

    logs: Path
    """Folder of the workflow's logs of training runs."""
    now: float
    """The time, by the clock of the results' file system as far as that can be known."""
    head_started: float | None
    """When the head that is at work started; None where none is."""
    planned: frozenset[str]
    """Paths of the runs that this head means to train."""


@dataclass(frozen=True)
class Look:
    """What the files of a run say."""

    state: State
    epoch: int = 0
    """Epochs that count: all that are logged of a run that is trained now, else those of its newest checkpoint."""
    success: float | None = None
    """Mean success rate of its newest evaluation."""
    epoch_seconds: float | None = None
    """Mean seconds of its newest epochs; None before there is one with gradient steps."""
    reason: str = ""
    """Why it does not go on by itself; of a running one, who trains it."""
    log: str = ""
    """The file that says more."""


def look_at(directory: Path, run: str, fits: bool, epochs: int, pretrain: int, around: Surroundings) -> Look:
    """Return how a run stands.

    Args:
        directory: The run's.
        run: Its path below ``runs/``.
        fits: Whether its ``config.yaml`` is what the experiment asks for.
        epochs: Epochs of the whole run.
        pretrain: Those of them that only collect.
        around: What else is known.
    """
    names = _names(directory)
    seconds = _epoch_seconds(directory, pretrain) if table("timing") in names else None
    success = _success(directory) if table("eval") in names else None
    if RESULT in names and fits:
        damage = _damage(directory, names)
        return Look(State.DAMAGED if damage else State.FINISHED, epochs, success, seconds, damage)
    job_log, text_log = around.logs / f"{run}.log", directory / TEXT_LOG
    signs = [directory / name for name in (table("timing"), TEXT_LOG, CONFIG, LOCK, MARKER) if name in names]
    seen = newest(signs)
    ended = newest([*signs, directory / MANIFEST, directory / RESULT, job_log])
    owner = _owner(directory, names)
    alive = owner is not None and not owner.gone
    alive = alive and (_sees(owner) or around.now - seen < max(SILENCE, 5 * (seconds or 0.0)))
    if alive and (fits or CONFIG not in names):
        return Look(State.RUNNING, _logged(directory), success, seconds, str(owner), str(text_log))

    saved = _saved(directory) if CHECKPOINTS in names and fits else 0
    head_started = around.head_started if run in around.planned else None
    if head_started is not None and not alive:
        if (
            changed(job_log) >= max(head_started, seen)
            and around.now - changed(job_log) < START
            and not _error(job_log)
        ):
            return Look(State.RUNNING, saved, success, seconds, "starting", str(job_log))
        if ended < head_started or (not names - {LOCK, MARKER} and not _error(job_log)):
            return Look(State.WAITING, saved, success if saved else None, seconds)
    if CONFIG in names and not fits:
        reason = "is being trained with other settings" if alive else "was made with other settings"
        return Look(State.STALE, reason=reason)
    log = str(text_log) if TEXT_LOG in names else str(job_log) if job_log.exists() else ""
    manifest = json_object(directory / MANIFEST) if MANIFEST in names else {}
    error = _error(job_log) if changed(job_log) >= changed(directory / MANIFEST) else ""
    if error:
        log = str(job_log)
    elif manifest.get("state") == "failed" and manifest.get("error") not in _ON_REQUEST:
        error = next(iter(str(manifest.get("error") or "").splitlines()), "") or "failed; its log says why"
    if error:
        return Look(State.FAILED, saved, success, seconds, error, log)
    if names - {LOCK, MARKER}:
        reason = _why_interrupted(manifest, owner, around.now - ended, directory)
        return Look(State.INTERRUPTED, saved, success, seconds, reason, log)
    return Look(State.MISSING)


def how_it_ended(directory: Path, job_log: Path) -> State | None:
    """Return how a run ended by what it wrote down: finished, or interrupted on request; None if by an error.

    Args:
        directory: That of a run that no process is training.
        job_log: The workflow's log of the job that trained it last, which has errors from before the run began, too.
    """
    manifest = json_object(directory / MANIFEST)
    if _error(job_log):
        return None
    if _on_request(manifest):
        return State.INTERRUPTED
    return State.FINISHED if manifest.get("state") == "finished" else None


def _damage(directory: Path, names: set[str]) -> str:
    """Return what is wrong with the logs of a run that has a result, and what to do; empty where nothing is seen.

    Of a log that is there only the evaluations are compared with their checksum: the others may be large, and making
    tables compares all of them.
    """
    sums, evaluations = json_object(directory / RESULT).get("sha256"), table("eval")
    if not isinstance(sums, dict):
        problem = f"{RESULT} cannot be read"
    elif missing := sorted(sums.keys() - names):
        problem = f"{missing[0]} is missing"
    elif sums.get(evaluations) != _sha256(directory / evaluations):
        problem = f"{evaluations} is not what the run wrote"
    else:
        return ""
    return f"{problem}; restore it from a copy, or delete {directory} to train the run again"


def _sha256(path: Path) -> str:
    try:
        return sha256(path)
    except OSError:
        return ""


def _names(directory: Path) -> set[str]:
    try:
        return set(os.listdir(directory))  # noqa: PTH208 - one call, and only names are wanted
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _owner(directory: Path, names: set[str]) -> Owner | None:
    """Return whom the run's lock names; None where no process holds it, or the one that does could not say so."""
    found = (Owner.read(directory / name) for name in (MARKER, LOCK) if name in names)
    return next((owner for owner in found if owner is not None), None)


def _sees(owner: Owner | None) -> bool:
    """Return whether this machine can know whether a process is at work: it sees the process."""
    return owner is not None and owner.here and owner.birth.split()[:2] == Owner.current().birth.split()[:2]


def _success(directory: Path) -> float | None:
    rows = last_rows(directory / table("eval"), 3)
    return rows[-1][2] if rows else None


def _logged(directory: Path) -> int:
    rows = last_rows(directory / table("timing"), 1, 512)
    return int(rows[-1][0]) if rows else 0


def _epoch_seconds(directory: Path, pretrain: int) -> float | None:
    rows = [row for row in last_rows(directory / table("timing"), 4) if row[0] > pretrain]
    return sum(sum(row[1:]) for row in rows) / len(rows) if rows else None


def _saved(directory: Path) -> int:
    """Return the epoch of the newest checkpoint; 0 where there is none."""
    found = (re.fullmatch(r"(\d+)\.json", name) for name in _names(directory / CHECKPOINTS))
    return max((int(match[1]) for match in found if match), default=0)


def _error(log: Path) -> str:
    """Return what the last line of a job's log says, where that is an error."""
    lines = [line for line in last_lines(log) if line.strip()]
    found = _ERROR.match(lines[-1]) if lines else None
    return (found["text"] or found["python"]).strip() if found else ""


def _on_request(manifest: dict[str, Any]) -> bool:
    """Return whether a run ended because somebody asked it to, with a checkpoint or without."""
    return manifest.get("state") == "interrupted" or manifest.get("error") in _ON_REQUEST


def _why_interrupted(manifest: dict[str, Any], owner: Owner | None, silence: float, directory: Path) -> str:
    if _on_request(manifest):
        return "stopped on request"
    if manifest.get("state") == "finished":
        return "its result is gone; it is made anew"
    if owner is not None and not owner.gone:
        return f"no sign of life for {silence / 60:.0f} minutes ({owner})"
    if shutil.disk_usage(directory).free < FULL:
        return "ended without a word; no space left on the disk: make room"
    return "was killed" + (f" ({owner})" if owner is not None else "")
