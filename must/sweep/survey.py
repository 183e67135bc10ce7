"""How a whole sweep stands: every run of an experiment, and when all of them will be done."""

from __future__ import annotations

import heapq
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from must.config import Experiment, RunSpec
from must.config.run_spec import deal
from must.run_files import CONFIG, RESULT, table
from must.sweep.going_on import before_going_on, going_on
from must.sweep.head import RECORD, Head, read_head
from must.sweep.settings import Identities, Setting, settings_of
from must.sweep.state import Look, State, Surroundings, look_at
from must.sweep.tails import changed, newest

_UNDER_WAY = (State.RUNNING, State.WAITING)


@dataclass(frozen=True)
class RunStatus:
    """One run of the sweep, and how it stands."""

    path: str
    """Below ``runs/``."""
    setting: Setting
    look: Look
    seconds_left: float | None
    """Of its own training; None where nothing like it has been measured."""

    @property
    def state(self) -> State:
        """How it stands."""
        return self.look.state

    @property
    def progress(self) -> float:
        """Share of its epochs that are done."""
        return min(1.0, self.look.epoch / self.setting.epochs)


@dataclass(frozen=True)
class Survey:
    """An experiment, and how each of its runs stands."""

    experiment: Experiment
    directory: Path
    """``results/<name>``."""
    runs: tuple[RunStatus, ...]
    head: Head | None
    seconds_left: float | None
    """Until all runs are done, with as many at a time as now; None where that is not known."""
    source: Path | None = None
    """The file that the experiment was read from, where a user has named one."""

    @property
    def counts(self) -> dict[State, int]:
        """Runs by state, those that there are."""
        counts = Counter(run.state for run in self.runs)
        return {state: counts[state] for state in State if counts[state]}

    @property
    def progress(self) -> float:
        """Share of the sweep's epochs that are done."""
        total = sum(run.setting.epochs for run in self.runs)
        return sum(run.progress * run.setting.epochs for run in self.runs) / total

    @property
    def success(self) -> float | None:
        """Mean success so far, over the runs that were evaluated."""
        found = [run.look.success for run in self.runs if run.look.success is not None]
        return statistics.fmean(found) if found else None

    @property
    def at_work(self) -> bool:
        """Whether anything is being trained, or will be without a further command."""
        return any(run.state in _UNDER_WAY for run in self.runs)

    @property
    def next_command(self) -> str:
        """What to type for the rest; empty where it comes by itself, or there is nothing left."""
        left = [run for run in self.runs if run.state is not State.FINISHED]
        if not left or (self.head is not None and self.head.at_work):
            return ""
        return going_on(self.experiment, self.directory, self.head, self.source)

    @property
    def before_next_command(self) -> str:
        """What to know before that command is typed: that it would train somewhere else; mostly empty."""
        if not self.next_command:
            return ""
        begun = any(run.state not in (State.STALE, State.MISSING) for run in self.runs)
        return before_going_on(self.experiment, self.directory, self.head, begun)


class Memory:
    """What one look at an experiment leaves for the next: what was read once and does not change."""

    def __init__(self) -> None:
        self.identities = Identities()
        self._settings: tuple[Experiment, list[Setting]] | None = None
        self._finished: dict[Path, tuple[float, Look]] = {}

    def settings(self, experiment: Experiment) -> list[Setting]:
        """Return the groups of an experiment's runs."""
        if self._settings is None or self._settings[0] is not experiment:
            self._settings, self._finished = (experiment, settings_of(experiment)), {}
        return self._settings[1]

    def look(self, place: Path, spec: RunSpec, setting: Setting, around: Surroundings) -> Look:
        """Look at a run; one that was finished is still, if its result is the same file."""
        result = changed(place / RESULT)
        if result and self._finished.get(place, (0.0,))[0] == result:
            return self._finished[place][1]
        fits = self.identities.holds(place / CONFIG, setting, spec)
        look = look_at(place, spec.path, fits, setting.epochs, setting.config.training.pretrain_epochs, around)
        if look.state is State.FINISHED:
            self._finished[place] = result, look
        return look


def survey(experiment: Experiment, directory: Path, memory: Memory | None = None, source: Path | None = None) -> Survey:
    """Look at every run of an experiment.

    Args:
        experiment: The experiment.
        directory: ``results/<name>``; it need not exist.
        memory: What earlier looks have left.
        source: The file that the experiment was read from, where a user has named one.
    """
    memory = memory or Memory()
    head = read_head(directory)
    at_work = head is not None and head.at_work
    groups = memory.settings(experiment)
    places = {spec.path: directory / "runs" / spec.path for setting in groups for spec in setting.runs}
    # Files may have been written by a clock that is ahead of this one.
    now = max(time.time(), newest([directory / RECORD, *(place / table("timing") for place in places.values())]))
    around = Surroundings(
        directory / "logs" / "train",
        now,
        head.started if head is not None and at_work else None,
        head.planned if head is not None and at_work else frozenset(),
    )
    looks: dict[str, tuple[Setting, Look]] = {}
    for setting in groups:
        for spec in setting.runs:
            looks[spec.path] = setting, memory.look(places[spec.path], spec, setting, around)
    _let_batches_wait(experiment, looks)
    return replace(_forecast(experiment, directory, looks, head), source=source)


def _let_batches_wait(experiment: Experiment, looks: dict[str, tuple[Setting, Look]]) -> None:
    """Let the runs wait that share a job with one that is trained: they come after it, whether or not a head lives."""
    size = experiment.resources.runs_per_job
    if size == 1:
        return
    for paths in deal(experiment.runs(), size).values():
        if any(looks[path][1].state is State.RUNNING for path in paths):
            for path in paths:
                setting, look = looks[path]
                if look.state is State.MISSING:
                    looks[path] = setting, replace(look, state=State.WAITING)


def _forecast(
    experiment: Experiment, directory: Path, looks: dict[str, tuple[Setting, Look]], head: Head | None
) -> Survey:
    """Work out how long each run will take, and all of them."""
    speeds = _Speeds(looks.values())
    runs = []
    for path, (setting, look) in looks.items():
        seconds = look.epoch_seconds or speeds.of(setting)
        left = None if seconds is None else seconds * (setting.epochs - look.epoch)
        runs.append(RunStatus(path, setting, look, 0.0 if look.state is State.FINISHED else left))
    running = [run for run in runs if run.state is State.RUNNING]
    at_once = max(len(running), head.at_once if head is not None else 1)
    ordered = sorted(runs, key=lambda run: run.state is not State.RUNNING)
    return Survey(experiment, directory, tuple(runs), head, makespan([run.seconds_left for run in ordered], at_once))


class _Speeds:
    """Seconds of an epoch by setting, from the runs that have been measured."""

    def __init__(self, looks: Iterable[tuple[Setting, Look]]) -> None:
        self._by_setting: dict[int, list[float]] = {}
        for setting, look in looks:
            if look.epoch_seconds is not None:
                self._by_setting.setdefault(id(setting), []).append(look.epoch_seconds)
        everything = [seconds for found in self._by_setting.values() for seconds in found]
        self._mean = statistics.fmean(everything) if everything else None

    def of(self, setting: Setting) -> float | None:
        """Return the mean of a setting's runs, or of all runs where none of its own has been measured."""
        found = self._by_setting.get(id(setting))
        return statistics.fmean(found) if found else self._mean


def makespan(seconds: Sequence[float | None], at_once: int) -> float | None:
    """Return when the last of some jobs ends that are begun in turn, ``at_once`` at a time; None if one is unknown."""
    ends: list[float] = []
    for length in seconds:
        if length is None:
            return None
        if length == 0:
            continue
        start = heapq.heappop(ends) if len(ends) >= at_once else 0.0
        heapq.heappush(ends, start + length)
    return max(ends, default=0.0)
