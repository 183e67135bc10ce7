"""Success-rate tables: CSV for machines (everything), Markdown for reading, LaTeX for the paper."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from must.analysis.files import write_atomically
from must.analysis.labels import NOTHING, describe, heading, value_label
from must.analysis.load import Group, Results, Status, load_results
from must.analysis.markup import Cell, Table, to_latex, to_markdown
from must.analysis.notes import closing_note, commits_of, containers_of, left_out_notes
from must.analysis.statistics import Spread, best_success, final_success, over_runs
from must.analysis.variants import Variant, ratio_of, variants
from must.config import Experiment

_TASK_COLUMNS = 10
"""Most tasks that the Markdown table gives a column each; with more, `per_task` is the place to look."""


def write_tables(experiment: Experiment, results: Path) -> list[Path]:
    """Write ``results/<name>/tables/{success_rate,per_task}.{csv,md,tex}`` from the runs that are there.

    Args:
        experiment: The experiment, as it stands now.
        results: Directory that holds ``<name>/runs/...``.

    Returns:
        The files written.

    Raises:
        ResultsError: No run is finished, or a finished one is damaged.
    """
    loaded = load_results(experiment, results)
    left_out = left_out_notes(loaded)
    notes = [*left_out, closing_note(loaded, per_task=False)]
    task_notes = [*left_out, closing_note(loaded, per_task=True)]
    blocks = _by_benchmark(loaded)
    texts = {
        "success_rate.csv": _to_csv(_success_records(loaded)),
        "success_rate.md": to_markdown([_success_table(loaded, groups, with_tasks=True) for groups in blocks], notes),
        "success_rate.tex": to_latex([_success_table(loaded, groups, with_tasks=False) for groups in blocks], notes),
        "per_task.csv": _to_csv(_task_records(loaded)),
        "per_task.md": to_markdown(_task_tables(loaded), task_notes),
        "per_task.tex": to_latex(_task_tables(loaded), task_notes),
    }
    directory = loaded.directory / "tables"
    return [write_atomically(directory / name, text.encode()) for name, text in texts.items()]


def _by_benchmark(results: Results) -> list[list[Group]]:
    """Split the groups by benchmark, whose success rates must not share a column."""
    blocks: dict[str | None, list[Group]] = {}
    for group in results.groups:
        blocks.setdefault(group.settings.get("benchmark"), []).append(group)
    return list(blocks.values())


def _final(results: Results, group: Group) -> np.ndarray:
    """Give the (R, K) final success of a group."""
    return final_success(group.success, results.experiment.report.final_evaluations)


def _success_table(results: Results, groups: Sequence[Group], with_tasks: bool) -> Table:
    """One row for each group: settings, seeds, final and best success, and the final success of each task."""
    axes = [axis for axis in results.axes if axis != "benchmark"]
    tasks = groups[0].tasks if with_tasks and len(groups[0].tasks) <= _TASK_COLUMNS else ()
    final = _cells([over_runs(_final(results, group).mean(axis=1)) for group in groups])
    best = _cells([over_runs(best_success(group.success)) for group in groups])
    by_task = [_cells([over_runs(_final(results, group)[:, k]) for group in groups]) for k in range(len(tasks))]
    rows = []
    for row, group in enumerate(groups):
        keys = [Cell(value_label(axis, group.settings[axis])) for axis in axes]
        seeds = Cell(f"{len(group.finished)} of {len(group.runs)}")
        rows.append((*keys, seeds, final[row], best[row], *(cells[row] for cells in by_task)))
    columns = (*map(heading, axes), "Seeds", "Final success", "Best success", *tasks)
    return Table(groups[0].settings.get("benchmark", ""), columns, len(axes), tuple(rows))


def _task_tables(results: Results) -> list[Table]:
    """One table for each variant and update interval: a row for each task, a column for each pruning ratio."""
    tables = []
    for variant in variants(results):
        for interval in variant.intervals or (None,):
            sparse = variant.sparse_at(interval) if interval is not None else ()
            groups = (*((variant.dense,) if variant.dense else ()), *sparse)
            settings = dict(variant.settings) | ({"update_interval": str(interval)} if interval is not None else {})
            tables.append(_task_table(results, variant, groups, describe(settings.items())))
    return tables


def _task_table(results: Results, variant: Variant, groups: Sequence[Group], settings: str) -> Table:
    finals = [_final(results, group) for group in groups]
    rows = [(Cell(task), *_cells([over_runs(final[:, k]) for final in finals])) for k, task in enumerate(variant.tasks)]
    rows.append((Cell("Mean over tasks"), *_cells([over_runs(final.mean(axis=1)) for final in finals])))
    columns = ("Task", *("Dense" if group.dense else f"Pruned {ratio_of(group):.10g}" for group in groups))
    title = f"Final success by pruning ratio{', ' if settings else ''}{settings}"
    return Table(title, columns, 1, tuple(rows))


def _cells(spreads: Sequence[Spread]) -> list[Cell]:
    """Write comparable values with two decimals, the best of them in bold (all that print alike; none if all do)."""
    shown = [_show(spread) for spread in spreads]
    means = {text.split(" ")[0] for text in shown} - {NOTHING}
    best = max(means, key=float) if len(means) > 1 else None
    return [Cell(text, bold=text.split(" ")[0] == best) for text in shown]


def _show(spread: Spread) -> str:
    mean, std = float(spread.mean), float(spread.std)
    if math.isnan(mean):
        return NOTHING
    return f"{mean:.2f}" if math.isnan(std) else f"{mean:.2f} ± {std:.2f}"


def _success_records(results: Results) -> list[dict[str, str]]:
    """One record for each group, with everything: settings, counts of runs, success, provenance."""
    tasks = dict.fromkeys(task for group in results.groups for task in group.tasks)
    records = []
    for group in results.groups:
        final = _final(results, group)
        counts = {status: sum(run.status is status for run in group.runs) for status in Status}
        record = _keys(results, group)
        record |= {"seeds": str(counts[Status.FINISHED]), "seeds_planned": str(len(group.runs))}
        record |= {str(status): str(counts[status]) for status in Status if status is not Status.FINISHED}
        record |= _numbers("final", over_runs(final.mean(axis=1)))
        record |= _numbers("best", over_runs(best_success(group.success)))
        for task in tasks:
            column = group.tasks.index(task) if task in group.tasks else None
            values = final[:, column] if column is not None else np.zeros(0)
            record |= {f"{name}/{task}": text for name, text in _numbers("final", over_runs(values)).items()}
        records.append(record | _provenance(results, group))
    return records


def _task_records(results: Results) -> list[dict[str, str]]:
    """One record for each group and task."""
    records = []
    for group in results.groups:
        final = over_runs(_final(results, group))
        for k, task in enumerate(group.tasks):
            record = _keys(results, group) | {"task": task, "seeds": str(len(group.finished))}
            record |= _numbers("final", Spread(final.mean[k], final.std[k]))
            records.append(record | _provenance(results, group))
    return records


def _keys(results: Results, group: Group) -> dict[str, str]:
    """What sets a record apart, in this file and when files of several experiments are put together."""
    env = group.runs[0].config.env
    return {"experiment": results.experiment.name, "reward": env.reward, "goals": env.goals, **group.settings}


def _provenance(results: Results, group: Group) -> dict[str, str]:
    commits = commits_of(group.finished)
    return {
        "final_evaluations": str(results.experiment.report.final_evaluations),
        "evaluation_episodes": str(results.experiment.evaluation.episodes),
        "seed_list": " ".join(run.seed for run in group.finished),
        "git_commits": " ".join(commits),
        "git_dirty": " ".join(str(int(dirty)) for dirty in commits.values()),
        "containers": " ".join(containers_of(group.finished)),
    }


def _numbers(name: str, spread: Spread) -> dict[str, str]:
    """Write mean and spread with six decimals; what does not exist stays empty."""
    texts = ["" if math.isnan(value) else f"{value:.6f}" for value in (float(spread.mean), float(spread.std))]
    return {f"{name}_mean": texts[0], f"{name}_std": texts[1]}


def _to_csv(records: Sequence[dict[str, str]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return buffer.getvalue()
