"""Tables: CSV for machines (everything), Markdown for reading, LaTeX for the paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from must.analysis.cells import (
    count_cells,
    csv_number,
    interval_cells,
    interval_record,
    plain_cells,
    spread_and_interval_cells,
    spread_cells,
    spread_record,
)
from must.analysis.columns import (
    Columns,
    Record,
    aggregate_columns,
    aggregate_record,
    best_of,
    cost_columns,
    cost_record,
    success_columns,
    success_record,
)
from must.analysis.markup import Cell, Table, to_latex, to_markdown
from must.analysis.measures import Ranked, ranked
from must.analysis.notes import Kind, closing_note, left_out_notes, ranking_note, recency_notes
from must.analysis.statistics import over_runs
from must.config import Experiment
from must.config.outputs import TABLES, TABLES_OF_METHODS, compares_methods, table_names
from must.data import Group, Results, load_results, write_data
from must.data.costs import cost_of
from must.data.files import write_atomically
from must.data.logs import FloatArray
from must.data.names import NOTHING, describe, heading, method_label, names_of, value_label
from must.data.provenance import commits_of, containers_of
from must.data.variants import variants

SUFFIXES = ("csv", "md", "tex")
_METHOD_COLUMNS = 7
"""Most groups that a table of tasks gives a column each."""

Rates = Callable[[Group], FloatArray]
"""Returns the (R, K) success rates of a group."""


def aggregate(experiment: Experiment, results: Path) -> list[Path]:
    """Write the tidy data and the tables of an experiment; see `write_data` and `write_tables`."""
    loaded = load_results(experiment, results)
    return [*write_data(loaded), *_write(loaded)]


def write_tables(experiment: Experiment, results: Path) -> list[Path]:
    """Write ``results/<name>/tables/<table>.{csv,md,tex}`` from the runs that are there.

    Args:
        experiment: The experiment, as it stands now.
        results: Directory that holds ``<name>/runs/...``.

    Returns:
        The files written.

    Raises:
        ResultsError: No run is finished, or a finished one is damaged.
    """
    return _write(load_results(experiment, results))


def _write(loaded: Results) -> list[Path]:
    experiment, blocks = loaded.experiment, by_benchmark(loaded)
    made: dict[str, tuple[Kind, list[Record], list[Table]]] = {
        "success_rate": (Kind.SUCCESS, _records(loaded, success_record), _tables(loaded, success_columns)),
        "per_task": (Kind.TASKS, _task_records(loaded), _task_tables(loaded)),
        "aggregates": (Kind.AGGREGATES, _records(loaded, aggregate_record), _tables(loaded, aggregate_columns)),
        "cost": (Kind.COST, _records(loaded, cost_record), _tables(loaded, cost_columns)),
    }
    if compares_methods(experiment):
        rankings = [ranked(loaded, groups) for groups in blocks]
        records = [_ranked_record(loaded, row) for rows in rankings for row in rows]
        tables = [_ranked_table(loaded, rows) for rows in rankings]
        made["comparison"] = (Kind.COMPARISON, records, tables)
    directory, paths = loaded.directory / "tables", []
    for name, (kind, records, tables) in made.items():
        notes = [*left_out_notes(loaded), *recency_notes(loaded), closing_note(loaded, kind)]
        if kind is Kind.COMPARISON:
            notes[:0] = [note for rows in rankings for note in ranking_note(rows)]
        # A screen has room for some tasks beside the settings; a page has not.
        wide = _tables(loaded, partial(success_columns, with_tasks=True)) if kind is Kind.SUCCESS else tables
        texts = {
            "csv": pd.DataFrame(records).to_csv(index=False, lineterminator="\n"),
            "md": to_markdown(wide, notes),
            "tex": to_latex(tables, notes),
        }
        paths += [write_atomically(directory / f"{name}.{kind}", text.encode()) for kind, text in texts.items()]
    for name in {*TABLES, *TABLES_OF_METHODS} - set(table_names(experiment)):
        for suffix in SUFFIXES:
            (directory / f"{name}.{suffix}").unlink(missing_ok=True)
    return paths


def by_benchmark(results: Results) -> list[list[Group]]:
    """Split the groups by benchmark, whose success rates must not share a column."""
    blocks: dict[str | None, list[Group]] = {}
    for group in results.groups:
        blocks.setdefault(group.settings.get("benchmark"), []).append(group)
    return list(blocks.values())


def _tables(results: Results, columns_of: Callable[[Results, Sequence[Group]], Columns]) -> list[Table]:
    """Return a table for each benchmark with a row for each group: method, settings, seeds, then more columns."""
    axes = [axis for axis in results.axes if axis not in ("benchmark", "method")]
    tables = []
    for groups in by_benchmark(results):
        keys = {"Method": [Cell(method_label(group.config)) for group in groups]}
        keys |= {heading(axis): [Cell(value_label(axis, group.settings[axis])) for group in groups] for axis in axes}
        columns = keys | {"Seeds": [_seeds(group) for group in groups]} | columns_of(results, groups)
        tables.append(_table(groups, columns, len(keys)))
    return tables


def _table(groups: Sequence[Group], columns: Columns, keys: int) -> Table:
    title = groups[0].settings.get("benchmark", "")
    return Table(title, tuple(columns), keys, tuple(zip(*columns.values(), strict=True)))


def _seeds(group: Group) -> Cell:
    return Cell(f"{len(group.finished)} of {len(group.runs)}")


def _records(results: Results, record_of: Callable[[Results, Group], Record]) -> list[Record]:
    """Return a record for each group: what sets it apart, its numbers, what it was made with."""
    return [_record(results, group, record_of(results, group)) for group in results.groups]


def _record(results: Results, group: Group, numbers: Record) -> Record:
    """Put numbers between what sets a record apart, also from those of other experiments, and what they are made with.

    ``method`` is the name that all tables show, ``method_name`` what the configuration says: MT-SAC may be ``mt_sac``,
    or ``must`` with pruning ratio 0.
    """
    config, commits = group.config, commits_of(group.finished)
    key = {"experiment": results.experiment.name, "reward": config.env.reward, "goals": config.env.goals}
    key |= {"method": method_label(config), "method_name": config.method}
    key |= {axis: value for axis, value in group.settings.items() if axis != "method"}
    made = {
        "final_evaluations": str(results.experiment.report.final_evaluations),
        "evaluation_episodes": str(results.experiment.evaluation.last_episodes),
        "seed_list": " ".join(run.seed for run in group.finished),
        "git_commits": " ".join(commits),
        "git_dirty": " ".join(str(int(dirty)) for dirty in commits.values()),
        "containers": " ".join(containers_of(group.finished)),
    }
    return key | numbers | made


def _ranked_table(results: Results, rows: Sequence[Ranked]) -> Table:
    groups, costs = [row.group for row in rows], [cost_of(row.group) for row in rows]
    columns = {
        "Rank": [Cell(str(row.rank or NOTHING)) for row in rows],
        "By IQM": [Cell(str(row.rank_by_iqm or NOTHING)) for row in rows],
        "Method": [Cell(row.name) for row in rows],
        "Seeds": [_seeds(group) for group in groups],
        "Final success": spread_and_interval_cells(
            [results.final(group).mean(axis=1) for group in groups], [row.mean for row in rows]
        ),
        "Final IQM": interval_cells([row.middle for row in rows]),
        "P(better than MT-SAC)": interval_cells([row.improvement for row in rows]),
        "Policy params": count_cells([cost.policy_parameters for cost in costs]),
        "Used by a task": count_cells([cost.policy_parameters_kept for cost in costs]),
        "All params": count_cells([cost.all_parameters for cost in costs]),
        "Minutes per run": plain_cells([cost.minutes for cost in costs], 1),
    }
    return _table(groups, columns, 3)


def _ranked_record(results: Results, row: Ranked) -> Record:
    group, cost = row.group, cost_of(row.group)
    places = {"rank": str(row.rank or ""), "rank_by_iqm": str(row.rank_by_iqm or "")}
    numbers = {"seeds": str(len(group.finished)), "seeds_planned": str(len(group.runs))}
    numbers |= interval_record("final_mean", row.mean)
    numbers |= {"final_std": csv_number(float(over_runs(results.final(group).mean(axis=1)).std))}
    numbers |= interval_record("final_iqm", row.middle)
    numbers |= interval_record("probability_of_improvement_over_mt_sac", row.improvement)
    costs = ("policy_parameters", "policy_parameters_kept", "all_parameters", "minutes")
    return places | _record(results, group, numbers | {name: csv_number(getattr(cost, name)) for name in costs})


def _task_tables(results: Results) -> list[Table]:
    """Return two tables for each block of groups: final success, and success at the best evaluation.

    They have a row for each task. A block is a variant at an update interval, with a column for each pruning ratio; or,
    where the experiment compares methods, all groups on the same tasks, some to a table.
    """
    kinds: dict[str, Rates] = {"Final success": results.final, "Success at the best evaluation": best_of}
    tables: list[Table] = []
    if compares_methods(results.experiment):
        for groups in by_benchmark(results):
            for kind, rates in kinds.items():
                tables += _split(groups, rates, kind)
        return tables
    for variant in variants(results):
        for interval in variant.intervals or (None,):
            groups = [*([variant.control] if variant.control else []), *variant.at(interval)]
            settings = dict(variant.settings) | ({"update_interval": str(interval)} if interval is not None else {})
            for kind, rates in kinds.items():
                title = ", ".join(filter(None, (f"{kind} by pruning ratio", describe(settings.items()))))
                columns = tuple(map(_task_column, groups))
                tables.append(Table(title, ("Task", *columns), 1, tuple(_task_rows(groups, rates))))
    return tables


def _task_column(group: Group) -> str:
    if group.dense:
        return "Dense" if group.is_multi_task_sac else method_label(group.config)
    return f"Pruned {group.pruning_ratio:.10g}"


def _split(groups: Sequence[Group], rates: Rates, kind: str) -> list[Table]:
    """Return tables of all methods, of a width that a page has room for; what is marked is the best of all of them."""
    names, rows = names_of(groups), _task_rows(groups, rates)
    title = ", ".join(filter(None, (kind, groups[0].settings.get("benchmark", ""))))
    count = -(-len(groups) // _METHOD_COLUMNS)
    width = -(-len(groups) // count)
    return [
        Table(
            title if count == 1 else f"{title} ({start // width + 1} of {count})",
            ("Task", *names[start : start + width]),
            1,
            tuple((row[0], *row[1 + start : 1 + start + width]) for row in rows),
        )
        for start in range(0, len(groups), width)
    ]


def _task_rows(groups: Sequence[Group], rates: Rates) -> list[tuple[Cell, ...]]:
    """Return a row for each task, and one for the mean over tasks: its name, and a cell for each group."""
    values, tasks = [rates(group) for group in groups], groups[0].tasks
    rows = [(Cell(task), *spread_cells([each[:, k] for each in values])) for k, task in enumerate(tasks)]
    return [*rows, (Cell("Mean over tasks"), *spread_cells([each.mean(axis=1) for each in values]))]


def _task_records(results: Results) -> list[Record]:
    records = []
    for group in results.groups:
        final, best = results.final(group), best_of(group)
        for k, task in enumerate(group.tasks):
            numbers = {"task": task, "seeds": str(len(group.finished))}
            numbers |= spread_record("final", final[:, k]) | spread_record("best", best[:, k])
            records.append(_record(results, group, numbers))
    return records
