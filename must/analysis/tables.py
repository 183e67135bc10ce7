"""Tables: CSV for machines (everything), Markdown for reading, LaTeX for the paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from must.analysis import columns
from must.analysis.columns import Column, best_of, of_runs
from must.analysis.in_common import masks_in_common
from must.analysis.markup import Cell, Table, to_latex, to_markdown
from must.analysis.measures import Ranked, ranked
from must.analysis.notes import notes_below, ranking_note
from must.analysis.statistics import FloatArray
from must.config import Experiment
from must.config.outputs import (
    TABLES,
    TABLES_OF_MASKS,
    TABLES_OF_METHODS,
    compares_methods,
    shares_by_masks,
    table_names,
)
from must.data import Group, Results, load_results, write_data
from must.data.blocks import Block, blocks_of
from must.data.files import write_atomically
from must.data.names import NOTHING, describe, heading, method_label, names_of, value_label
from must.data.provenance import commits_of, containers_of
from must.data.variants import variants

SUFFIXES = ("csv", "md", "tex")
_METHOD_COLUMNS = 7
"""Most groups that a table of tasks gives a column each."""

Record = dict[str, object]
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
    made = {
        "success_rate": _of_groups(loaded, columns.success),
        "per_task": (_task_records(loaded), _task_tables(loaded)),
        "aggregates": _of_groups(loaded, columns.aggregates),
        "cost": _of_groups(loaded, columns.cost),
    }
    if shares_by_masks(loaded.experiment):
        made["masks"] = _of_groups(loaded, masks_in_common, lambda group: group.config.has_task_masks)
    warnings: dict[str, list[str]] = {}
    if compares_methods(loaded.experiment):
        rankings = [(block, ranked(loaded, block.groups)) for block in blocks_of(loaded)]
        made["comparison"] = _rankings(loaded, rankings)
        warnings["comparison"] = [note for _, rows in rankings for note in ranking_note(rows)]
    directory, paths = loaded.directory / "tables", []
    for name, (records, tables) in made.items():
        notes = [*warnings.get(name, ()), *notes_below(loaded, name)]
        texts = {
            "csv": pd.DataFrame(records).to_csv(index=False, lineterminator="\n", float_format="%.6f"),
            "md": to_markdown(tables, notes),
            "tex": to_latex(tables, notes),
        }
        paths += [write_atomically(directory / f"{name}.{kind}", text.encode()) for kind, text in texts.items()]
    for name in {*TABLES, *TABLES_OF_METHODS, *TABLES_OF_MASKS} - set(table_names(loaded.experiment)):
        for suffix in SUFFIXES:
            (directory / f"{name}.{suffix}").unlink(missing_ok=True)
    return paths


def _of_groups(
    results: Results,
    columns_of: Callable[[Results, Sequence[Group]], list[Column]],
    has_row: Callable[[Group], bool] = lambda _: True,
) -> tuple[list[Record], list[Table]]:
    """Return a record for each group that has a row, and a table for each block with these rows."""
    records, tables = list[Record](), []
    for block in blocks_of(results):
        groups = list(filter(has_row, block.groups))
        axes = [axis for axis in results.axes if axis != "method" and axis not in block.settings]
        keys = [Column("Method", [Cell(method_label(group.config)) for group in groups])]
        keys += [
            Column(heading(axis), [Cell(value_label(axis, group.settings[axis])) for group in groups]) for axis in axes
        ]
        shown = columns_of(results, groups)
        records += [_record(results, *each) for each in zip(groups, _numbers(shown, len(groups)), strict=True)]
        tables.append(_table(block, keys, [columns.seeds(groups), *shown]))
    return records, tables


def _rankings(results: Results, rankings: Sequence[tuple[Block, Sequence[Ranked]]]) -> tuple[list[Record], list[Table]]:
    """Return a record for each group, and a table for each ranking, the best first."""
    records, tables = list[Record](), []
    for block, rows in rankings:
        groups = [row.group for row in rows]
        shown = [columns.seeds(groups), *columns.comparison(results, rows)]
        places = {"Rank": [row.rank for row in rows], "By IQM": [row.rank_by_iqm for row in rows]}
        keys = [Column(name, [Cell(str(each or NOTHING)) for each in places[name]]) for name in places]
        tables.append(_table(block, [*keys, Column("Method", [Cell(row.name) for row in rows])], shown))
        for row, numbers in zip(rows, _numbers(shown, len(rows)), strict=True):
            first = {"rank": str(row.rank or ""), "rank_by_iqm": str(row.rank_by_iqm or "")}
            records.append(first | _record(results, row.group, numbers))
    return records, tables


def _table(block: Block, keys: Sequence[Column], shown: Sequence[Column]) -> Table:
    every = [column for column in (*keys, *shown) if column.heading]
    tasks = sum(column.heading in block.groups[0].tasks for column in every)
    rows = tuple(zip(*(column.cells for column in every), strict=True))
    return Table(block.title, tuple(column.heading for column in every), len(keys), rows, tasks)


def _numbers(found: Sequence[Column], count: int) -> list[Record]:
    """Return the numbers of each of so many groups."""
    return [
        {name: value for each in found if each.numbers for name, value in each.numbers[i].items()} for i in range(count)
    ]


def _record(results: Results, group: Group, numbers: Mapping[str, object]) -> Record:
    """Put numbers between what sets a record apart, also from those of other experiments, and what they are made with.

    ``method`` is the name that all tables show, ``method_name`` what the configuration says: MT-SAC may be ``mt_sac``,
    or ``must`` with pruning ratio 0.
    """
    config, commits = group.config, commits_of(group.finished)
    key: Record = {"experiment": results.experiment.name, "reward": config.env.reward, "goals": config.env.goals}
    key |= {"method": method_label(config), "method_name": config.method}
    key |= {axis: value for axis, value in group.settings.items() if axis != "method"}
    return key | {
        **numbers,
        "final_evaluations": results.experiment.report.final_evaluations,
        "evaluation_episodes": results.experiment.evaluated(last=True).number,
        "seed_list": " ".join(run.seed for run in group.finished),
        "git_commits": " ".join(commits),
        "git_dirty": " ".join(str(int(dirty)) for dirty in commits.values()),
        "containers": " ".join(containers_of(group.finished)),
    }


def _task_tables(results: Results) -> list[Table]:
    """Return two tables for each block of groups: final success, and success at the best evaluation.

    They have a row for each task. A block is a variant at an update interval, with a column for each pruning ratio; or,
    where the experiment compares methods, all groups on the same tasks, some to a table.
    """
    kinds: dict[str, Rates] = {"Final success": results.final, "Success at the best evaluation": best_of}
    tables: list[Table] = []
    if compares_methods(results.experiment):
        for block in blocks_of(results):
            for kind, rates in kinds.items():
                tables += _split(block, rates, kind)
        return tables
    for variant in variants(results):
        for interval in variant.intervals or (None,):
            groups = [*([variant.control] if variant.control else []), *variant.at(interval)]
            settings = dict(variant.settings) | ({"update_interval": str(interval)} if interval is not None else {})
            for kind, rates in kinds.items():
                title = ", ".join(filter(None, (f"{kind} by pruning ratio", describe(settings.items()))))
                names = map(_task_column, groups)
                tables.append(Table(title, ("Task", *names), 1, tuple(_task_rows(groups, rates))))
    return tables


def _task_column(group: Group) -> str:
    if group.dense:
        return "Dense" if group.is_multi_task_sac else method_label(group.config)
    return f"Pruned {group.pruning_ratio:.10g}"


def _split(block: Block, rates: Rates, kind: str) -> list[Table]:
    """Return tables of all methods, of a width that a page has room for; what is marked is the best of all of them."""
    groups = block.groups
    names, rows = names_of(groups), _task_rows(groups, rates)
    title = ", ".join(filter(None, (kind, block.title)))
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
    rows = {task: [each[:, k] for each in values] for k, task in enumerate(tasks)}
    rows["Mean over tasks"] = [each.mean(axis=1) for each in values]
    return [(Cell(name), *of_runs("", "", runs).cells) for name, runs in rows.items()]


def _task_records(results: Results) -> list[Record]:
    records = []
    for group in results.groups:
        final, best = results.final(group), best_of(group)
        for k, task in enumerate(group.tasks):
            found = [of_runs("", "final", [final[:, k]]), of_runs("", "best", [best[:, k]])]
            first = {"task": task, "seeds": len(group.finished)}
            records.append(_record(results, group, first | _numbers(found, 1)[0]))
    return records
