"""What the rows of all tables have in common: a group of runs, named by its settings."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from must.analysis.labels import heading, method_label, value_label
from must.analysis.load import Group, Results
from must.analysis.markup import Cell
from must.analysis.provenance import commits_of, containers_of


def by_benchmark(results: Results) -> list[list[Group]]:
    """Split the groups by benchmark, whose success rates must not share a column."""
    blocks: dict[str | None, list[Group]] = {}
    for group in results.groups:
        blocks.setdefault(group.settings.get("benchmark"), []).append(group)
    return list(blocks.values())


def key_columns(results: Results) -> tuple[str, ...]:
    """Name the columns that say which group a row is about."""
    return ("Method", *(heading(axis) for axis in _axes(results)), "Seeds")


def key_cells(results: Results, group: Group) -> tuple[Cell, ...]:
    """Describe which group a row is about, and how many of its runs are in it."""
    settings = (Cell(value_label(axis, group.settings[axis])) for axis in _axes(results))
    return (Cell(method_label(group.config)), *settings, Cell(f"{len(group.finished)} of {len(group.runs)}"))


def key_record(results: Results, group: Group) -> dict[str, str]:
    """Describe what sets a record apart, in this file and when files of several experiments are put together.

    ``method`` is the name that all tables show, ``method_name`` what the configuration says: MT-SAC may be ``mt_sac``,
    or ``must`` with pruning ratio 0.
    """
    env = group.config.env
    methods = {"method": method_label(group.config), "method_name": group.config.method}
    settings = {axis: value for axis, value in group.settings.items() if axis != "method"}
    return {"experiment": results.experiment.name, "reward": env.reward, "goals": env.goals, **methods, **settings}


def provenance_record(results: Results, group: Group) -> dict[str, str]:
    """Describe what a record was made with."""
    commits = commits_of(group.finished)
    return {
        "final_evaluations": str(results.experiment.report.final_evaluations),
        "evaluation_episodes": str(results.experiment.evaluation.last_episodes),
        "seed_list": " ".join(run.seed for run in group.finished),
        "git_commits": " ".join(commits),
        "git_dirty": " ".join(str(int(dirty)) for dirty in commits.values()),
        "containers": " ".join(containers_of(group.finished)),
    }


def to_csv(records: Sequence[dict[str, str]]) -> str:
    """Write records with the same keys as CSV."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return buffer.getvalue()


def _axes(results: Results) -> list[str]:
    return [axis for axis in results.axes if axis not in ("benchmark", "method")]
