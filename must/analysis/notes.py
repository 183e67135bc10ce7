"""The lines below a table: what was left out, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Sequence

from must.analysis.measures import Ranked, overlapping
from must.analysis.statistics import CONFIDENCE, MIN_SEEDS, MIN_TASKS
from must.config.schedule import last_renewal
from must.data.blocks import judged_on
from must.data.controls import trains_static_control
from must.data.names import describe, names_of
from must.data.provenance import commits_of, processors_of, software_of
from must.data.runs import Group, Results, Status
from must.words import count_of, range_of

_LISTED = 6
"""Runs that a note names one by one."""

INTERVAL = f"the {100 * CONFIDENCE:.0f} % interval over seeds (jackknife, Student's t)"
"""What intervals are, for the note below a table."""
NO_INTERVAL = f"no interval below {MIN_SEEDS} seeds: so few do not say how much seeds differ"
"""Why a row has none."""

ABOUT_TIMES = "Times are of "
"""How the note on times begins that differ for other reasons than the settings."""

_TIMED = ("comparison", "cost")
"""Tables that have times."""

_REASONS = {
    Status.INCOMPLETE: "incomplete",
    Status.STALE: "finished under other settings than the experiment now asks for",
    Status.MISSING: "not begun",
}


def left_out_notes(results: Results) -> list[str]:
    """Describe which runs of the sweep are not in the numbers, and why: one line for each reason."""
    notes = []
    for status, reason in _REASONS.items():
        runs = [run for run in results.runs if run.status is status]
        if not runs:
            continue
        named = [describe(run.spec.params) + (f" ({run.state})" if run.state else "") for run in runs[:_LISTED]]
        if len(runs) > _LISTED:
            named.append(f"and {len(runs) - _LISTED} more")
        notes.append(f"Left out, {reason}: {count_of(len(runs), 'run')} of {len(results.runs)}: {'; '.join(named)}.")
    return notes


HOW = {
    "success_rate": (
        "Success rates, means over the tasks",
        "{final}, IQM the interquartile mean over seeds and tasks, best that of each run's best evaluation{before}",
    ),
    "per_task": (
        "Success rates of each task",
        "{final}; a run's best evaluation is that with the highest mean over tasks{before}",
    ),
    "aggregates": (
        "Aggregates over seeds and tasks",
        "{final}; of it, the median over tasks of the means over seeds, the mean distance to 1, and the probability "
        "that a run is better at a task than one of the control, MT-SAC{static}, ties counted half; the area under the "
        "learning curve{before} is its mean height, and P(better) by area compares these heights; steps are "
        "environment steps of each task until the mean over tasks first had a success rate of {rate}, the mean of the "
        "runs that had it",
    ),
    "comparison": (
        "Methods by their mean final success over seeds and tasks",
        "{final}; IQM is its interquartile mean, without the worst and the best quarter of runs and tasks, and "
        "by IQM the rank that it would give; P(better) is the probability that a run is better at a task than one of "
        "MT-SAC{static}, ties counted half; where intervals overlap, the order of two rows says little; all params are "
        "those of the policy, both Q networks and mask generators; a run's minutes, from its first epoch on, are those "
        "of the clock, whatever else the machine was busy with, and its CPU minutes those of all its processes, where "
        "it logged them",
    ),
    "masks": (
        "What masks have in common at the end",
        "swapped is the share of a mask's elements that its renewals replaced, all of them added up; overlap is "
        "|A and B| / |A or B| of the masks of two tasks, in the policy, the mean over pairs of tasks; spread is its "
        "standard deviation over the pairs of a run; agreement is the correlation of the pairs' overlaps between two "
        "seeds, the mean over pairs of seeds, of policy and Q networks: about 0 where masks are random, 1 where every "
        "seed finds the same tasks alike{few_tasks}",
    ),
    "cost": (
        "Parameters and time",
        "density is the share of the policy's parameters (params) that a task uses (params kept), FLOPs are two for "
        "each weight that it uses, whether or not the others are multiplied as well; both count the first layer's rows "
        "for the one-hots of all tasks, of which an action reads one; rates are those of the fastest tenth of the "
        "epochs, a run's minutes have all of it from the first epoch on, whatever else the machine was busy with; its "
        "CPU minutes are those of all its processes, where it logged them",
    ),
}
"""Table -> what its numbers are, and how they were worked out."""


def notes_below(results: Results, table: str) -> list[str]:
    """Return the notes below a table: what is left out, how its numbers compare, and how they were made."""
    times = times_notes(results) if table in _TIMED else []
    return [*left_out_notes(results), *recency_notes(results), *times, closing_note(results, table)]


def times_notes(results: Results) -> list[str]:
    """Return a note on times that differ for other reasons than the settings: the code, and the processor."""
    mixed = mixed_in_times(results, f"processors ({'; '.join(processors_of(results.finished))})")
    if not mixed:
        return []
    return [
        f"{ABOUT_TIMES}{mixed}: where two settings differ in these, their times do not tell which of the "
        "settings is faster."
    ]


def mixed_in_times(results: Results, processors: str) -> str:
    """Return how many commits and processors times are of; empty where they are of one each.

    Args:
        results: The runs.
        processors: What to call several processors.
    """
    commits, kinds = len(commits_of(results.finished)), len(processors_of(results.finished))
    parts = [f"{commits} commits"] if commits > 1 else []
    return " and ".join([*parts, f"{kinds} {processors}"] if kinds > 1 else parts)


def closing_note(results: Results, table: str) -> str:
    """Describe how the numbers of a table were made: seeds, episodes, what the interval is, code and container."""
    experiment = results.experiment
    env, last = experiment.env, experiment.report.final_evaluations
    finished = results.finished
    seeds = sorted({run.seed for run in finished}, key=int)
    what, how = HOW[table]
    final = f"final is {'the last evaluation' if last == 1 else f'the mean of the last {last} evaluations'}"
    static = (
        ", or of static random masks (static; of its own kind and ratio, where it has masks)"
        if trains_static_control(experiment)
        else ""
    )
    few_tasks = f"; not computed below {MIN_TASKS} tasks" if len(env.task_names) < MIN_TASKS else ""
    rate = f"{experiment.report.success_rate:.10g}"
    before = " before the last, which has other episodes" if experiment.judges_last else ""
    how = how.format(final=final, rate=rate, static=static, few_tasks=few_tasks, before=before)
    reward, goals, horizon = (judged_on(results, key) for key in ("reward", "goals", "horizon"))
    settings = f"reward {reward}, {goals} goals, horizon {horizon}"
    episodes = f"{count_of(experiment.evaluated(last=False).number, 'evaluation episode')} per task"
    if experiment.judges_last:
        last_ones = experiment.evaluated(last=True)
        episodes += f", in the last evaluation {last_ones.number} of {last_ones.horizon} steps"
    made = [
        f"{count_of(len(seeds), 'seed')} ({', '.join(seeds)})",
        episodes,
        *_uncertainty(results, table),
        *software_of(finished),
    ]
    return f"{what} ({settings}): {how}. Made with {'; '.join(made)}."


def _uncertainty(results: Results, table: str) -> list[str]:
    """Describe what stands behind the numbers of a table."""
    if table == "cost":
        return ["no interval"]
    if table == "masks" and len(results.experiment.env.task_names) < MIN_TASKS:
        return []
    counts = {len(group.finished) for group in results.groups} - {0}
    parts = []
    if table not in ("aggregates", "masks"):
        parts += ["± is the sample standard deviation over seeds"] if max(counts) > 1 else []
        parts += ["a row of one seed has no spread"] if 1 in counts else []
    if table != "per_task":
        parts += [f"[ ] is {INTERVAL}"] if max(counts) >= MIN_SEEDS else []
        parts += [NO_INTERVAL] if min(counts) < MIN_SEEDS else []
    return parts


def figure_note(results: Results, what: str = "mean", spread: bool = True) -> str:
    """Describe what a figure shows, of how many seeds and of how much of the sweep, if not all of it.

    Args:
        results: What is drawn.
        what: What stands for a group, such as its mean.
        spread: Whether intervals are drawn, and the single runs of the groups that have too few seeds for one.
    """
    finished = len(results.finished)
    shown = "" if finished == len(results.runs) else f"; {finished} of {len(results.runs)} runs finished"
    counts = sorted({len(group.finished) for group in results.groups if group.finished})
    if counts == [1] or not counts:
        return f"one seed{', no interval' if spread else ''}{shown}"
    seeds = range_of(counts, "seed")
    if not spread:
        return f"{what}, {seeds}{shown}"
    if counts[-1] < MIN_SEEDS:
        return f"{what} and each run, {seeds}: no interval below {MIN_SEEDS}{shown}"
    below = f", each run below {MIN_SEEDS} seeds" if counts[0] < MIN_SEEDS else ""
    return f"{what} and {100 * CONFIDENCE:.0f} % interval{below}, {seeds}{shown}"


def ranking_note(rows: Sequence[Ranked]) -> list[str]:
    """Warn of neighbours in a ranking whose order the runs do not settle; nothing where all intervals are apart."""
    pairs = [f"{above} and {below}" for above, below in overlapping(rows)]
    if not pairs:
        return []
    named = pairs[:_LISTED] + ([f"and {len(pairs) - _LISTED} more"] if len(pairs) > _LISTED else [])
    return [
        "Warning: neighbours in this ranking whose intervals overlap, or that have none, may as well stand the other "
        f"way round: {'; '.join(named)}. must compare says how many more seeds would tell."
    ]


def epochs_since_renewal(group: Group, evaluations: int) -> int | None:
    """Return the epochs from a group's last renewal of masks to the first evaluation that counts.

    None where no run counts, or masks are never renewed; negative where renewals come between evaluations that count.
    """
    config, logs = group.config, [run.log for run in group.finished if run.log is not None]
    if not logs or not config.learns_masks or config.never_renews:
        return None
    counted = int(logs[0].epochs[-evaluations]) - config.training.pretrain_epochs
    return counted - last_renewal(config.training.epochs, config.masks.freeze_after)


def recency_notes(results: Results) -> list[str]:
    """Return notes on settings that are judged at different times after their last renewal, or under untrained masks.

    A renewal costs success for some epochs: such a table compares how long ago it was.
    """
    evaluations = results.experiment.report.final_evaluations
    ages = sorted({age for group in results.groups if (age := epochs_since_renewal(group, evaluations)) is not None})
    advice = "give all of them the same training.epochs and masks.freeze_after below 1"
    named = zip(names_of(results.groups), results.groups, strict=True)
    never = [name for name, group in named if group.finished and group.config.never_renews]
    notes = []
    if never:
        notes.append(
            f"Masks are never renewed, and so are static ones: {'; '.join(never)}; lower masks.update_interval."
        )
    if len(ages) > 1:
        notes.append(
            f"Compares recency: the evaluations that count begin {ages[0]} to {ages[-1]} epochs after the last renewal "
            f"of a setting's masks; {advice}."
        )
    elif ages and ages[0] <= 0:
        notes.append(f"Masks are still renewed during the evaluations that count; {advice}.")
    return notes
