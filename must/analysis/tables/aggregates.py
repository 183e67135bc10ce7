"""The other aggregates: how sure a difference is, and how fast success came."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from must.analysis.aggregates import (
    area_under_curve,
    median,
    optimality_gap,
    steps_to,
)
from must.analysis.estimates import estimate, improvement
from must.analysis.load import Group, Results
from must.analysis.markup import Cell, Table
from must.analysis.tables.cells import count_cells, csv_number, interval_cells, plain_cells
from must.analysis.tables.rows import by_benchmark, key_cells, key_columns, key_record, provenance_record


def aggregate_tables(results: Results) -> list[Table]:
    """Give one table for each benchmark, with one row for each group."""
    return [_table(results, groups) for groups in by_benchmark(results)]


def _table(results: Results, groups: Sequence[Group]) -> Table:
    keys = key_columns(results)
    rate = f"{results.experiment.report.success_rate:.10g}"
    columns = [
        interval_cells([estimate(median, results.final(group)) for group in groups]),
        interval_cells([estimate(optimality_gap, results.final(group)) for group in groups], highest=False),
        interval_cells([improvement(results, group) for group in groups]),
        plain_cells([_area(group) for group in groups]),
        [_steps_cell(group, results.experiment.report.success_rate) for group in groups],
    ]
    rows = [(*key_cells(results, group), *cells) for group, *cells in zip(groups, *columns, strict=True)]
    names = ("Median", "Optimality gap", "P(better)", "Area under curve", f"Steps to {rate}")
    return Table(groups[0].settings.get("benchmark", ""), (*keys, *names), len(keys) - 1, tuple(rows))


def aggregate_records(results: Results) -> list[dict[str, str]]:
    """Give one record for each group."""
    records = []
    for group in results.groups:
        final = results.final(group)
        record = key_record(results, group) | {"seeds": str(len(group.finished))}
        for name, interval in (
            ("median", estimate(median, final)),
            ("optimality_gap", estimate(optimality_gap, final)),
            ("probability_of_improvement_over_dense", improvement(results, group)),
        ):
            record |= {f"{name}{end}": csv_number(x) for end, x in zip(("", "_low", "_high"), interval, strict=True)}
        reached = _steps(group, results.experiment.report.success_rate)
        record |= {
            "area_under_curve": csv_number(_area(group)),
            "success_rate_to_reach": f"{results.experiment.report.success_rate:.10g}",
            "steps_to_success_rate": " ".join("" if math.isnan(x) else f"{x:.0f}" for x in reached),
            "runs_that_reached_it": str(int((~np.isnan(reached)).sum())),
        }
        records.append(record | provenance_record(results, group))
    return records


def _area(group: Group) -> float:
    """Give the mean height of the learning curves of a group's runs."""
    curves = group.success.mean(axis=2)
    return float(area_under_curve(group.env_steps_per_task, curves).mean()) if len(curves) else math.nan


def _steps(group: Group, rate: float) -> np.ndarray:
    """Give the environment steps of a task after which each run (R,) first had a success rate; NaN for never."""
    if not group.finished:
        return np.zeros(0)
    return steps_to(group.env_steps_per_task, group.success.mean(axis=2), rate)


def _steps_cell(group: Group, rate: float) -> Cell:
    """Write the mean steps of the runs that reached a success rate, and how many did if not all."""
    reached = _steps(group, rate)
    count = int((~np.isnan(reached)).sum())
    (cell,) = count_cells([float(np.nanmean(reached)) if count else math.nan])
    return cell if count == len(reached) else Cell(cell.text, f"({count} of {len(reached)})")
