"""Success rates: of every setting, and of every task."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from must.analysis.estimates import final_iqm, final_mean
from must.analysis.labels import describe, method_label
from must.analysis.load import Group, Results, Status
from must.analysis.markup import Cell, Table
from must.analysis.ranking import names_of
from must.analysis.statistics import FloatArray, Spread, best_success, over_runs
from must.analysis.tables.cells import (
    csv_number,
    interval_cells,
    interval_record,
    spread_and_interval_cells,
    spread_cells,
)
from must.analysis.tables.rows import by_benchmark, key_cells, key_columns, key_record, provenance_record
from must.analysis.variants import ratio_of, variants
from must.config.outputs import compares_methods

_TASK_COLUMNS = 10
"""Most tasks that the Markdown table gives a column each; with more, `per_task` is the place to look."""
_METHOD_COLUMNS = 7
"""Most groups that a table of tasks gives a column each."""


def success_tables(results: Results, with_tasks: bool) -> list[Table]:
    """Return one table for each benchmark, with one row for each group.

    Args:
        results: The runs.
        with_tasks: Whether each task has a column as well, where there are few.
    """
    return [_success_table(results, groups, with_tasks) for groups in by_benchmark(results)]


def _success_table(results: Results, groups: Sequence[Group], with_tasks: bool) -> Table:
    tasks = groups[0].tasks if with_tasks and len(groups[0].tasks) <= _TASK_COLUMNS else ()
    keys = key_columns(results)
    columns = [
        spread_and_interval_cells(
            [over_runs(results.final(group).mean(axis=1)) for group in groups],
            [final_mean(results, group) for group in groups],
        ),
        interval_cells([final_iqm(results, group) for group in groups]),
        spread_cells([over_runs(best_success(group.success).mean(axis=1)) for group in groups]),
        *(spread_cells([over_runs(results.final(group)[:, k]) for group in groups]) for k in range(len(tasks))),
    ]
    rows = [(*key_cells(results, group), *cells) for group, *cells in zip(groups, *columns, strict=True)]
    names = (*keys, "Final success", "Final IQM", "Best success", *tasks)
    return Table(groups[0].settings.get("benchmark", ""), names, len(keys) - 1, tuple(rows))


def success_records(results: Results) -> list[dict[str, str]]:
    """Return one record for each group, with everything: settings, counts of runs, success, provenance."""
    tasks = dict.fromkeys(task for group in results.groups for task in group.tasks)
    records = []
    for group in results.groups:
        final, best = results.final(group), best_success(group.success)
        counts = {status: sum(run.status is status for run in group.runs) for status in Status}
        record = key_record(results, group)
        record |= {"seeds": str(counts[Status.FINISHED]), "seeds_planned": str(len(group.runs))}
        record |= {str(status): str(counts[status]) for status in Status if status is not Status.FINISHED}
        record |= interval_record("final_mean", final_mean(results, group))
        record |= {"final_std": csv_number(float(over_runs(final.mean(axis=1)).std))}
        record |= interval_record("final_iqm", final_iqm(results, group))
        record |= _numbers("best", over_runs(best.mean(axis=1)))
        for task in tasks:
            column = group.tasks.index(task) if task in group.tasks else None
            for name, rates in (("final", final), ("best", best)):
                values = over_runs(rates[:, column] if column is not None else np.zeros(0))
                record |= {f"{key}/{task}": text for key, text in _numbers(name, values).items()}
        records.append(record | provenance_record(results, group))
    return records


def task_tables(results: Results) -> list[Table]:
    """Return two tables for each block of groups: final success, and success at the best evaluation.

    They have a row for each task. A block is a variant at an update interval, with a column for each pruning ratio; or,
    where the experiment compares methods, all groups on the same tasks, some to a table.
    """
    kinds: tuple[tuple[str, Rates], ...] = (
        ("Final success", results.final),
        ("Success at the best evaluation", lambda group: best_success(group.success)),
    )
    if compares_methods(results.experiment):
        return [
            table for groups in by_benchmark(results) for kind, rates in kinds for table in _split(groups, rates, kind)
        ]
    tables = []
    for variant in variants(results):
        for interval in variant.intervals or (None,):
            groups = (*((variant.control,) if variant.control else ()), *variant.at(interval))
            settings = dict(variant.settings) | ({"update_interval": str(interval)} if interval is not None else {})
            columns = [_column(group) for group in groups]
            for kind, rates in kinds:
                title = ", ".join(filter(None, (f"{kind} by pruning ratio", describe(settings.items()))))
                tables.append(_task_table(title, columns, _task_cells(groups, rates)))
    return tables


Rates = Callable[[Group], FloatArray]
"""Returns the (R, K) success rates of a group."""


def _column(group: Group) -> str:
    if group.dense:
        return "Dense" if group.is_multi_task_sac else method_label(group.config)
    return f"Pruned {ratio_of(group):.10g}"


def _split(groups: Sequence[Group], rates: Rates, kind: str) -> list[Table]:
    """Return tables of all methods, of a width that a page has room for; what is marked is the best of all of them."""
    columns, rows = names_of(groups), _task_cells(groups, rates)
    title = ", ".join(filter(None, (kind, groups[0].settings.get("benchmark", ""))))
    count = -(-len(groups) // _METHOD_COLUMNS)
    width = -(-len(groups) // count)
    return [
        _task_table(
            title if count == 1 else f"{title} ({start // width + 1} of {count})",
            columns[start : start + width],
            [(row[0], *row[1 + start : 1 + start + width]) for row in rows],
        )
        for start in range(0, len(groups), width)
    ]


def _task_cells(groups: Sequence[Group], rates: Rates) -> list[tuple[Cell, ...]]:
    """Return a row for each task, and one for the mean over tasks: its name, and a cell for each group."""
    values = [rates(group) for group in groups]
    tasks = groups[0].tasks
    rows = [(Cell(task), *spread_cells([over_runs(each[:, k]) for each in values])) for k, task in enumerate(tasks)]
    return [*rows, (Cell("Mean over tasks"), *spread_cells([over_runs(each.mean(axis=1)) for each in values]))]


def _task_table(title: str, columns: Sequence[str], rows: Sequence[tuple[Cell, ...]]) -> Table:
    return Table(title, ("Task", *columns), 1, tuple(rows))


def task_records(results: Results) -> list[dict[str, str]]:
    """Return one record for each group and task."""
    records = []
    for group in results.groups:
        final, best = over_runs(results.final(group)), over_runs(best_success(group.success))
        for k, task in enumerate(group.tasks):
            record = key_record(results, group) | {"task": task, "seeds": str(len(group.finished))}
            record |= _numbers("final", Spread(final.mean[k], final.std[k]))
            record |= _numbers("best", Spread(best.mean[k], best.std[k]))
            records.append(record | provenance_record(results, group))
    return records


def _numbers(name: str, spread: Spread) -> dict[str, str]:
    return {f"{name}_mean": csv_number(float(spread.mean)), f"{name}_std": csv_number(float(spread.std))}
