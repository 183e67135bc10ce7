"""What a sweep will cost: jobs, hours, memory and disk, here and with a profile; and what is wrong with it."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from must.config import Experiment
from must.config.run_spec import deal
from must.files import nearest as nearest_folder
from must.sweep.estimate import (
    Speed,
    checkpoint_bytes,
    evaluations,
    kept_bytes,
    kind,
    memory_bytes,
    run_seconds,
)
from must.sweep.measured import Kind, measure, nearest
from must.sweep.profile import Profile
from must.sweep.settings import Setting
from must.sweep.state import State
from must.sweep.survey import RunStatus, Survey, makespan
from must.words import count_of, duration

IMAGE_BYTES = {"cpu": (0.6e9, 4e9, 0.4e9), "cuda": (3.2e9, 11e9, 3e9)}
"""Of the image, of the temporary space while it is built, and of the wheels that it is built from."""
_FEWEST_SEEDS = 5
"""Below this there are no intervals over seeds."""


@dataclass(frozen=True)
class SettingPlan:
    """What the runs of one setting will cost."""

    setting: Setting
    runs: tuple[RunStatus, ...]
    run_seconds: float | None
    """Of one run, from its start to its end; None where nothing is known."""
    from_runs: bool
    """Whether that is what its own runs took, and not what was measured for the plan."""
    guessed: bool
    """Whether it is that of the most similar setting, because there was no time to measure its own."""
    memory: float | None
    """Bytes of a run."""
    kept: float
    """Bytes that a finished run leaves."""
    checkpoints: float
    """Bytes of a run's checkpoints while it is trained."""

    @property
    def finished(self) -> int:
        """Runs that are finished."""
        return sum(run.state is State.FINISHED for run in self.runs)

    def seconds_left(self, run: RunStatus) -> float | None:
        """Return how long a run has still to be trained."""
        if run.state is State.FINISHED:
            return 0.0
        return None if self.run_seconds is None else self.run_seconds * (1 - run.progress)


@dataclass(frozen=True)
class Place:
    """How a sweep goes somewhere: on this machine, or with a profile."""

    profile: Profile
    at_once: int
    seconds: float | None
    """Until all runs are trained; without the time that jobs wait in a queue."""
    limit: float | None
    """The same if every run took all the time that its job asks for."""


@dataclass(frozen=True)
class Plan:
    """What a sweep will cost from now on."""

    experiment: Experiment
    directory: Path
    settings: tuple[SettingPlan, ...]
    places: tuple[Place, ...]
    jobs: int
    """Jobs that train the runs that are not finished."""
    measured: bool
    """Whether something was measured for it."""
    gpu_here: bool
    """Whether that was on a GPU."""

    @property
    def runs(self) -> int:
        """Runs of the sweep."""
        return sum(len(each.runs) for each in self.settings)

    @property
    def finished(self) -> int:
        """Runs that are finished."""
        return sum(each.finished for each in self.settings)

    @property
    def seconds_left(self) -> float | None:
        """Seconds of training that are left, of all runs together."""
        return _total([each.seconds_left(run) for each in self.settings for run in each.runs])

    @property
    def cores(self) -> int:
        """CPU cores that a run takes."""
        return self.experiment.training.cores

    def cores_used(self, profile: Profile) -> int:
        """Return how many of them a run gets somewhere."""
        return min(self.cores, profile.cores) if profile.local else self.cores

    @property
    def memory(self) -> float | None:
        """Bytes of the largest run."""
        return max((each.memory for each in self.settings if each.memory), default=None)

    @property
    def kept(self) -> float:
        """Bytes that all runs leave."""
        return sum(each.kept * len(each.runs) for each in self.settings)

    def checkpoints(self, at_once: int) -> float:
        """Return the bytes of the checkpoints of as many runs as are trained at a time."""
        return max(each.checkpoints for each in self.settings) * min(at_once, self.runs)


def make_plan(found: Survey, profiles: list[Profile], seconds: float) -> Plan:
    """Work out what a sweep will cost.

    Args:
        found: How it stands.
        profiles: Where it may be run; the first is this machine.
        seconds: Time to measure for, where its own runs say nothing.
    """
    runs: dict[int, list[RunStatus]] = {}
    for run in found.runs:
        runs.setdefault(id(run.setting), []).append(run)
    groups = [(each[0].setting, tuple(each)) for each in runs.values()]
    left = [group for group in groups if any(run.state is not State.FINISHED for run in group[1])]
    unknown = [setting.config for setting, members in left if _own_seconds(members) is None]
    speeds = measure(unknown, seconds) if unknown else {}
    settings = tuple(_plan_setting(setting, members, speeds) for setting, members in groups)
    todo = {run.path for run in found.runs if run.state is not State.FINISHED}
    batches = deal(found.experiment.runs(), found.experiment.resources.runs_per_job)
    jobs = sum(not todo.isdisjoint(batch) for batch in batches.values())
    places = tuple(_plan_place(profile, found.experiment, settings) for profile in profiles)
    return Plan(
        found.experiment,
        found.directory,
        settings,
        places,
        jobs,
        bool(speeds),
        any(each.device != "cpu" for each in speeds.values()),
    )


def _own_seconds(runs: tuple[RunStatus, ...]) -> float | None:
    """Return how long a run takes by the newest epochs of those that exist."""
    own = [run.look.epoch_seconds for run in runs if run.look.epoch_seconds is not None]
    return statistics.fmean(own) * runs[0].setting.epochs if own else None


def _plan_setting(setting: Setting, runs: tuple[RunStatus, ...], speeds: Mapping[Kind, Speed]) -> SettingPlan:
    config, own = setting.config, _own_seconds(runs)
    speed = nearest(dict(speeds), config)
    here = speed is not None and (speed.device != "cpu" or config.training.device != "cuda")
    seconds = own if own is not None else run_seconds(config, speed) if speed is not None and here else None
    memory = None if speed is None else memory_bytes(config, speed)
    kept, saved = kept_bytes(config, speed), checkpoint_bytes(config, speed)
    guessed = own is None and seconds is not None and kind(config) not in speeds
    return SettingPlan(setting, runs, seconds, own is not None, guessed, memory, kept, saved)


def _plan_place(profile: Profile, experiment: Experiment, settings: tuple[SettingPlan, ...]) -> Place:
    left = [(each, run) for each in settings for run in each.runs if run.state is not State.FINISHED]
    at_once = max(1, min(profile.at_once(experiment), len(left)))
    asks = experiment.resources
    # What was measured here on a CPU says nothing of a GPU elsewhere.
    known = profile.local or not asks.gpus or all(each.from_runs for each, _ in left)
    seconds = makespan([each.seconds_left(run) for each, run in left], at_once) if known else None
    limit = None if profile.local else makespan([60.0 * asks.minutes] * len(left), at_once)
    return Place(profile, at_once, seconds, limit)


def _total(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def look_twice(plan: Plan) -> list[str]:
    """Return what somebody may not have meant: mistakes that no check of single values finds."""
    experiment, asks, found = plan.experiment, plan.experiment.resources, []
    configs = [each.setting.config for each in plan.settings]
    fewest = min(map(evaluations, configs))
    if experiment.report.final_evaluations > fewest:
        found.append(
            f"report.final_evaluations is {experiment.report.final_evaluations}, but a run has {fewest} evaluations, "
            f"so that no table can be made: use at most {fewest}, or a smaller evaluation.interval"
        )
    if others := sum(run.state is State.STALE for each in plan.settings for run in each.runs):
        lie = f"{count_of(others, 'run')} of other settings {'lies' if others == 1 else 'lie'} in {plan.directory}"
        found.append(
            f"{lie}, to be moved aside (SEED to SEED.HASH) when the new ones begin, and its tables and figures are "
            "made anew: if this is another experiment, give it another name"
        )
    if damaged := sum(run.state is State.DAMAGED for each in plan.settings for run in each.runs):
        found.append(
            f"{count_of(damaged, 'run')} in {plan.directory} lost logs, so that no table can be made: must status"
        )
    never = [each.setting.name for each in plan.settings if each.setting.config.never_renews]
    if never:
        found.append(f"masks are never renewed in runs of {'; '.join(never)}: lower masks.update_interval")
    if len(experiment.sweep.seeds) < _FEWEST_SEEDS:
        seeds = len(experiment.sweep.seeds)
        found.append(f"sweep.seeds has {seeds}: tables have intervals from {_FEWEST_SEEDS} seeds on")
    if plan.memory is not None and plan.memory > 1e6 * asks.mem_mb:
        found.append(
            f"resources.mem_mb is {asks.mem_mb}, but a run may need about {plan.memory / 1e6:.0f} MB: raise it, or "
            "lower sac.buffer_size"
        )
    slowest = max((each.run_seconds for each in plan.settings if each.run_seconds), default=0.0)
    for place in plan.places:
        found += _look_at_place(plan, place, slowest)
    return found


def _look_at_place(plan: Plan, place: Place, slowest: float) -> list[str]:
    experiment, asks, profile, found = plan.experiment, plan.experiment.resources, place.profile, []
    if profile.local and plan.cores > profile.cores:
        found.append(
            f"a run asks for {plan.cores} cores, and {profile.name} has {profile.cores}: lower training.n_workers"
        )
    if experiment.container.required and not profile.in_image:
        found.append(f"container.required is true, but {profile.name} does not run jobs in the image")
    if not profile.local and not asks.gpus:
        tries = range(1, 2 + profile.retries)  # each asks for more than the one before
        granted = 60 * sum(min(asks.minutes * number, asks.max_minutes or asks.minutes * number) for number in tries)
        if slowest > granted:
            found.append(
                f"a run may take {duration(slowest)}, and the jobs of {profile.name} have {duration(granted)} in "
                f"{len(tries)} tries: raise resources.minutes, or --retries"
            )
    if profile.local:
        needed = plan.kept + plan.checkpoints(place.at_once)
        free = shutil.disk_usage(nearest_folder(plan.directory.absolute())).free
        if needed > free:
            found.append(f"the disk has {free / 1e9:.1f} GB free, and the sweep needs {needed / 1e9:.1f} GB")
    return found
