"""Success rates: of every setting, and of every task."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from must.analysis.aggregates import Interval, interquartile_mean
from must.analysis.labels import describe
from must.analysis.load import Group, Results, Status
from must.analysis.markup import Cell, Table
from must.analysis.statistics import FloatArray, Spread, best_success, over_runs
from must.analysis.tables.cells import csv_number, interval_cells, spread_cells
from must.analysis.tables.rows import by_benchmark, estimate, key_cells, key_columns, key_record, provenance_record
from must.analysis.variants import Variant, ratio_of, variants

_TASK_COLUMNS = 10
"""Most tasks that the Markdown table gives a column each; with more, `per_task` is the place to look."""


def success_tables(results: Results, with_tasks: bool) -> list[Table]:
    """Give one table for each benchmark, with one row for each group.

    Args:
        results: The runs.
        with_tasks: Whether each task has a column as well, where there are few.
    """
    return [_success_table(results, groups, with_tasks) for groups in by_benchmark(results)]


def _success_table(results: Results, groups: Sequence[Group], with_tasks: bool) -> Table:
    tasks = groups[0].tasks if with_tasks and len(groups[0].tasks) <= _TASK_COLUMNS else ()
    keys = key_columns(results)
    columns = [
        spread_cells([over_runs(results.final(group).mean(axis=1)) for group in groups]),
        interval_cells([_middle(results, group) for group in groups]),
        spread_cells([over_runs(best_success(group.success).mean(axis=1)) for group in groups]),
        *(spread_cells([over_runs(results.final(group)[:, k]) for group in groups]) for k in range(len(tasks))),
    ]
    rows = [(*key_cells(results, group), *cells) for group, *cells in zip(groups, *columns, strict=True)]
    names = (*keys, "Final success", "Final IQM", "Best success", *tasks)
    return Table(groups[0].settings.get("benchmark", ""), names, len(keys) - 1, tuple(rows))


def success_records(results: Results) -> list[dict[str, str]]:
    """Give one record for each group, with everything: settings, counts of runs, success, provenance."""
    tasks = dict.fromkeys(task for group in results.groups for task in group.tasks)
    records = []
    for group in results.groups:
        final, best = results.final(group), best_success(group.success)
        counts = {status: sum(run.status is status for run in group.runs) for status in Status}
        record = key_record(results, group)
        record |= {"seeds": str(counts[Status.FINISHED]), "seeds_planned": str(len(group.runs))}
        record |= {str(status): str(counts[status]) for status in Status if status is not Status.FINISHED}
        record |= _numbers("final", over_runs(final.mean(axis=1)))
        middle = _middle(results, group)
        record |= {f"final_iqm{suffix}": csv_number(x) for suffix, x in zip(("", "_low", "_high"), middle, strict=True)}
        record |= _numbers("best", over_runs(best.mean(axis=1)))
        for task in tasks:
            column = group.tasks.index(task) if task in group.tasks else None
            for name, rates in (("final", final), ("best", best)):
                values = over_runs(rates[:, column] if column is not None else np.zeros(0))
                record |= {f"{key}/{task}": text for key, text in _numbers(name, values).items()}
        records.append(record | provenance_record(results, group))
    return records


def task_tables(results: Results) -> list[Table]:
    """Give two tables for each variant and update interval: final success, and success at the best evaluation.

    They have a row for each task, and a column for each pruning ratio.
    """
    kinds = (("Final success", results.final), ("Success at the best evaluation", lambda g: best_success(g.success)))
    tables = []
    for variant in variants(results):
        for interval in variant.intervals or (None,):
            sparse = variant.sparse_at(interval) if interval is not None else ()
            groups = (*((variant.dense,) if variant.dense else ()), *sparse)
            settings = dict(variant.settings) | ({"update_interval": str(interval)} if interval is not None else {})
            for kind, rates in kinds:
                title = ", ".join(filter(None, (f"{kind} by pruning ratio", describe(settings.items()))))
                tables.append(_task_table(variant, groups, rates, title))
    return tables


def _task_table(variant: Variant, groups: Sequence[Group], rates: Callable[[Group], FloatArray], title: str) -> Table:
    values = [rates(group) for group in groups]
    rows = [
        (Cell(task), *spread_cells([over_runs(each[:, k]) for each in values])) for k, task in enumerate(variant.tasks)
    ]
    rows.append((Cell("Mean over tasks"), *spread_cells([over_runs(each.mean(axis=1)) for each in values])))
    columns = ("Task", *("Dense" if group.dense else f"Pruned {ratio_of(group):.10g}" for group in groups))
    return Table(title, columns, 1, tuple(rows))


def task_records(results: Results) -> list[dict[str, str]]:
    """Give one record for each group and task."""
    records = []
    for group in results.groups:
        final, best = over_runs(results.final(group)), over_runs(best_success(group.success))
        for k, task in enumerate(group.tasks):
            record = key_record(results, group) | {"task": task, "seeds": str(len(group.finished))}
            record |= _numbers("final", Spread(final.mean[k], final.std[k]))
            record |= _numbers("best", Spread(best.mean[k], best.std[k]))
            records.append(record | provenance_record(results, group))
    return records


def _middle(results: Results, group: Group) -> Interval:
    """Give the interquartile mean of the final success over seeds and tasks."""
    return estimate(interquartile_mean, results.final(group))


def _numbers(name: str, spread: Spread) -> dict[str, str]:
    return {f"{name}_mean": csv_number(float(spread.mean)), f"{name}_std": csv_number(float(spread.std))}
