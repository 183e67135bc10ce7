"""``must plan``."""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

from must.config import load_sweep
from must.environment import cores_here
from must.errors import ConfigError
from must.sweep.plan import IMAGE_BYTES, Plan, look_twice, make_plan
from must.sweep.profile import Profile, read_profile, this_machine
from must.sweep.status_command import print_lines
from must.sweep.survey import survey
from must.words import UNKNOWN, columns, count_of, duration, hours, size

_BUSY = 1.5
"""Programs that want a core, for each that there is, from which on a machine is called busy."""


def main(options: argparse.Namespace) -> int:
    """Print what a sweep will cost; return the exit status: 0, or 2 where its configuration is wrong."""
    if not options.seconds >= 0:
        raise ConfigError(f"--seconds {options.seconds}: give a number of seconds, or 0 to measure nothing")
    if options.json and options.line:
        raise ConfigError("--json and --line do not go together; give one of them")
    experiment = load_sweep(options.config)
    profile = None if options.profile is None else read_profile(options.profile)
    here = profile if profile is not None and profile.local else this_machine()
    profiles = [here] if profile is None or profile.local else [here, profile]
    plan = make_plan(survey(experiment, options.results / experiment.name), profiles, options.seconds)
    if options.json:
        print_lines([json.dumps(as_json(plan), indent=1)])
    else:
        print_lines([last_line(plan)] if options.line else [*text(plan, str(options.config)), "", last_line(plan)])
    return 0


def last_line(plan: Plan) -> str:
    """Return the plan in one line: runs, time, and what they cost."""
    left, name = plan.runs - plan.finished, plan.experiment.name
    if not left:
        return f"{name}: all of its {count_of(plan.runs, 'run')} are finished"
    parts = [f"{name}: {count_of(left, 'run')} to train" + (f", {plan.finished} finished" if plan.finished else "")]
    for place in plan.places[-1:]:
        at = f"{place.at_once} at a time"
        if place.seconds is not None:
            parts.append(f"about {duration(place.seconds)} with {place.profile.name} ({at})")
        elif place.limit is not None:
            parts.append(f"at most {duration(place.limit)} with {place.profile.name} ({at}), by what its jobs ask for")
        else:
            parts.append(f"{at} with {place.profile.name}")
    if plan.seconds_left is not None and not plan.experiment.resources.gpus:
        cores = plan.cores_used(plan.places[0].profile)
        parts.append(f"{hours(plan.seconds_left * cores)} of CPU time")
    return ", ".join(parts)


def text(plan: Plan, config: str) -> list[str]:
    """Return the plan as lines of text, the last one apart."""
    rows = [["setting", "runs", "finished", "a run", "left, all runs"]]
    for each in plan.settings:
        left = [each.seconds_left(run) for run in each.runs]
        total = None if None in left else sum(value for value in left if value is not None)
        rows.append(
            [each.setting.name, str(len(each.runs)), str(each.finished), duration(each.run_seconds), duration(total)]
        )
    heading = f"{plan.experiment.name} ({config}): {count_of(plan.runs, 'run')}, {plan.finished} finished"
    heading += (
        f"; {count_of(plan.jobs, 'job')} to train the {'others' if plan.finished else 'runs'}" if plan.jobs else ""
    )
    lines = [heading, "", *columns(rows, right=(1, 2, 3, 4)), ""]
    lines += columns(_facts(plan))
    lines += ["", _origin(plan), *_shared(plan)]
    for note in look_twice(plan):
        lines.append(f"look twice: {note}")
    return lines


def _facts(plan: Plan) -> list[list[str]]:
    """Return the table of what the sweep takes: a row for each thing, a column for each place."""
    asks, places = plan.experiment.resources, plan.places
    rows = [["", *(place.profile.name for place in places)]]
    rows.append(["runs at a time", *(f"{place.at_once}" for place in places)])
    rows.append(["time", *(_time(place.seconds, place.limit, place.profile) for place in places)])
    work = UNKNOWN if plan.seconds_left is None else hours(plan.seconds_left * plan.cores_used(places[0].profile))
    rows.append(["CPU time", *(_work(plan, place.profile, work, plan.cores) for place in places)])
    if asks.gpus:
        alone = UNKNOWN if plan.seconds_left is None else hours(plan.seconds_left * asks.gpus / asks.runs_per_job)
        alone = alone if plan.gpu_here or all(each.from_runs for each in plan.settings) else "none"
        rows.append(
            ["GPU time", *(_work(plan, place.profile, alone, asks.gpus / asks.runs_per_job) for place in places)]
        )
    memory = UNKNOWN if plan.memory is None else f"{size(plan.memory)} a run"
    rows.append(["memory", *(f"{memory}, asks for {size(1e6 * asks.mem_mb)}" for _ in places)])
    rows.append(["disk, kept", *(size(plan.kept) for _ in places)])
    rows.append(["disk, while runs are trained", *(size(plan.checkpoints(place.at_once)) for place in places)])
    if any(place.profile.in_image for place in places):
        rows.append(["image", *(_image(plan, place.profile) for place in places)])
    return rows


def _time(seconds: float | None, limit: float | None, profile: Profile) -> str:
    found = duration(seconds) if seconds is not None else "not known"
    if limit is not None:
        found += f" (by what jobs ask for, at most {duration(limit)})"
    return found if profile.local else f"{found}, and the queue"


def _work(plan: Plan, profile: Profile, known: str, times: float) -> str:
    """Return an amount of work; of GPUs that nobody has measured, what the jobs ask for."""
    asks = plan.experiment.resources
    if profile.local or not asks.gpus or all(each.from_runs for each in plan.settings):
        return known
    return f"at most {hours((plan.runs - plan.finished) * 60 * asks.minutes * times)}"


def _image(plan: Plan, profile: Profile) -> str:
    if not profile.in_image:
        return "none"
    flavour = plan.experiment.container.flavour
    flavour = ("cuda" if plan.experiment.resources.gpus else "cpu") if flavour == "auto" else flavour
    image, temporary, wheels = IMAGE_BYTES[flavour]
    return f"{size(image)}, wheels {size(wheels)}; {size(temporary)} of temporary space"


def _origin(plan: Plan) -> str:
    """Return in words what the plan was worked out from."""
    own = sum(each.from_runs for each in plan.settings)
    parts = [f"for {count_of(own, 'setting')} by runs that exist"] if own else []
    if plan.measured:
        parts.append(f"{'for the others ' if own else ''}by steps that were timed on this machine, today or just now")
    guessed = sum(each.guessed for each in plan.settings)
    if guessed:
        parts.append(
            f"for {count_of(guessed, 'setting')} by the most similar one (--seconds gives more time to measure)"
        )
    return f"Worked out {' and '.join(parts)}." if parts else "Nothing was measured, so times are not known."


def _shared(plan: Plan) -> list[str]:
    """Return a line where other work has the cores too: what was measured is the time of a run that has its own."""
    try:
        load, cores = os.getloadavg()[0], cores_here()
    except OSError:
        return []
    if not plan.measured or load < _BUSY * cores:
        return []
    return [f"This machine is busy now (load {load:.1f} on {count_of(cores, 'core')}): runs take longer while it is."]


def as_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as data: seconds, bytes, runs."""
    return {
        "name": plan.experiment.name,
        "runs": plan.runs,
        "finished": plan.finished,
        "jobs": plan.jobs,
        "seconds_left": plan.seconds_left,
        "cores_per_run": plan.cores,
        "memory_bytes": plan.memory,
        "disk_kept_bytes": plan.kept,
        "measured": plan.measured,
        "look_twice": look_twice(plan),
        "places": [
            {
                "profile": place.profile.name,
                "at_once": place.at_once,
                "seconds": place.seconds,
                "limit_seconds": place.limit,
                "checkpoint_bytes": plan.checkpoints(place.at_once),
            }
            for place in plan.places
        ],
        "settings": [
            {
                "setting": each.setting.values,
                "runs": len(each.runs),
                "finished": each.finished,
                "run_seconds": each.run_seconds,
                "from_runs": each.from_runs,
                "guessed": each.guessed,
                "memory_bytes": each.memory,
            }
            for each in plan.settings
        ],
    }
