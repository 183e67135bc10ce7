"""The lines below a table: what was left out, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Sequence

from must.analysis.labels import commit_labels, count_of, describe
from must.analysis.load import Group, Results, Run, Status

_LISTED = 6
"""Runs that a note names one by one."""

_REASONS = {
    Status.INCOMPLETE: "incomplete",
    Status.STALE: "finished under other settings than the experiment now asks for",
    Status.MISSING: "not begun",
}


def left_out_notes(results: Results) -> list[str]:
    """Say which runs of the sweep are not in the numbers, and why: one line for each reason."""
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


def closing_note(results: Results, per_task: bool) -> str:
    """Say how the numbers of a table were made: seeds, episodes, what the spread is, code and container."""
    env, evaluation = results.experiment.env, results.experiment.evaluation
    last = results.experiment.report.final_evaluations
    finished = [run for run in results.runs if run.status is Status.FINISHED]
    seeds = sorted({run.seed for run in finished}, key=int)
    final = "the last evaluation" if last == 1 else f"the mean of the last {last} evaluations"
    several = any(len(group.finished) > 1 for group in results.groups)
    single = any(len(group.finished) == 1 for group in results.groups)
    spread = ["± is the sample standard deviation over seeds"] if several else []
    spread += ["a row of one seed has no spread"] if single else []
    settings = f"reward {env.reward}, {env.goals} goals, horizon {env.horizon}"
    made = [
        f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(seeds)}",
        f"{count_of(evaluation.episodes, 'evaluation episode')} per task",
        *spread,
        _code(finished),
        _containers(finished),
    ]
    what = "Final success rates" if per_task else "Success rates, means over the tasks"
    best = "" if per_task else ", best the highest of a run's evaluations"
    return f"{what} ({settings}): final is {final}{best}. Made with {'; '.join(made)}."


def commits_of(runs: Sequence[Run]) -> dict[str, bool]:
    """Give the commits that runs were made with -> whether any of their trees had uncommitted changes."""
    commits: dict[str, bool] = {}
    for run in runs:
        commit = str(run.manifest.get("git_commit") or "unknown")
        commits[commit] = commits.get(commit, False) or bool(run.manifest.get("git_dirty"))
    return dict(sorted(commits.items()))


def containers_of(runs: Sequence[Run]) -> list[str]:
    """Give the digests of the containers that runs were made in; ``none`` stands for no container."""
    digests = set()
    for run in runs:
        container = run.manifest.get("container")
        digests.add(str(container.get("digest") or "unknown") if isinstance(container, dict) else "none")
    return sorted(digests)


def seeds_note(groups: Sequence[Group]) -> str:
    """Say what lines and error bars of a figure are, such as ``mean ± std over 2 seeds``."""
    counts = sorted({len(group.finished) for group in groups if group.finished})
    if counts == [1] or not counts:
        return "one seed"
    seeds = f"{counts[0]} seeds" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"
    return f"mean ± std over {seeds}"


def coverage_note(results: Results) -> str:
    """Say, for a figure, how much of the sweep it shows; empty when it is all of it."""
    finished = sum(run.status is Status.FINISHED for run in results.runs)
    return "" if finished == len(results.runs) else f"{finished} of {len(results.runs)} runs finished"


def _code(runs: Sequence[Run]) -> str:
    labels = commit_labels(commits_of(runs))
    if len(labels) == 1:
        return f"code at commit {labels[0]}" if not labels[0].startswith("unknown") else "code at an unknown commit"
    return f"code at different commits: {', '.join(labels)}"


def _containers(runs: Sequence[Run]) -> str:
    digests = containers_of(runs)
    if digests == ["none"]:
        return "no container"
    labels = ["no container" if digest == "none" else digest[:19] for digest in digests]
    return f"container {labels[0]}" if len(labels) == 1 else f"different containers: {', '.join(labels)}"
