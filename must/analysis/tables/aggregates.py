"""The other aggregates: how sure a difference is, and how fast success came."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from must.analysis.aggregates import Interval, median, optimality_gap, steps_to
from must.analysis.estimates import area_improvement, estimate, improvement, mean_area
from must.analysis.load import Group, Results, trains_static_control
from must.analysis.markup import Cell, Table
from must.analysis.tables.cells import count_cells, interval_cells, interval_record
from must.analysis.tables.rows import by_benchmark, key_cells, key_columns, key_record, provenance_record


def aggregate_tables(results: Results) -> list[Table]:
    """Return one table for each benchmark, with one row for each group."""
    return [_table(results, groups) for groups in by_benchmark(results)]


def _table(results: Results, groups: Sequence[Group]) -> Table:
    keys = key_columns(results)
    rate = f"{results.experiment.report.success_rate:.10g}"
    columns = {
        "Median": interval_cells([estimate(median, results.final(group)) for group in groups]),
        "Optimality gap": interval_cells(
            [estimate(optimality_gap, results.final(group)) for group in groups], highest=False
        ),
        **_compared(results, groups, "P(better{})", lambda group, control: improvement(results, group, control)),
        "Area under curve": interval_cells([mean_area(group) for group in groups]),
        **_compared(results, groups, "P(better{}) by area", area_improvement),
        f"Steps to {rate}": [_steps_cell(group, results.experiment.report.success_rate) for group in groups],
    }
    rows = [(*key_cells(results, group), *cells) for group, *cells in zip(groups, *columns.values(), strict=True)]
    return Table(groups[0].settings.get("benchmark", ""), (*keys, *columns), len(keys) - 1, tuple(rows))


def _compared(results: Results, groups: Sequence[Group], name: str, compare: Compare) -> dict[str, list[Cell]]:
    """Return a column for each control that groups are compared with, under a name that may say which."""
    columns = {name.format(""): [compare(group, results.control_of(group)) for group in groups]}
    if trains_static_control(results.experiment):
        columns[name.format(" than static")] = [compare(group, results.static_control_of(group)) for group in groups]
    return {heading: interval_cells(intervals) for heading, intervals in columns.items()}


Compare = Callable[[Group, Group | None], Interval]
"""Returns the probability that a run of a group is better than one of its control, if it has one."""


def aggregate_records(results: Results) -> list[dict[str, str]]:
    """Return one record for each group."""
    return [_record(results, group) for group in results.groups]


def _record(results: Results, group: Group) -> dict[str, str]:
    final, control = results.final(group), results.control_of(group)
    numbers = {
        "median": estimate(median, final),
        "optimality_gap": estimate(optimality_gap, final),
        "probability_of_improvement_over_dense": improvement(results, group, control),
        "area_under_curve": mean_area(group),
        "area_probability_of_improvement_over_dense": area_improvement(group, control),
    }
    if trains_static_control(results.experiment):
        static = results.static_control_of(group)
        numbers["probability_of_improvement_over_static"] = improvement(results, group, static)
        numbers["area_probability_of_improvement_over_static"] = area_improvement(group, static)
    record = key_record(results, group) | {"seeds": str(len(group.finished))}
    for name, interval in numbers.items():
        record |= interval_record(name, interval)
    reached = _steps(group, results.experiment.report.success_rate)
    record |= {
        "success_rate_to_reach": f"{results.experiment.report.success_rate:.10g}",
        "steps_to_success_rate": " ".join("" if math.isnan(x) else f"{x:.0f}" for x in reached),
        "runs_that_reached_it": str(int((~np.isnan(reached)).sum())),
    }
    return record | provenance_record(results, group)


def _steps(group: Group, rate: float) -> np.ndarray:
    """Return the environment steps of a task after which each run (R,) first had a success rate; NaN for never."""
    if not group.finished:
        return np.zeros(0)
    return steps_to(group.env_steps_per_task, group.success.mean(axis=2), rate)


def _steps_cell(group: Group, rate: float) -> Cell:
    """Write the mean steps of the runs that reached a success rate, and how many did if not all."""
    reached = _steps(group, rate)
    count = int((~np.isnan(reached)).sum())
    (cell,) = count_cells([float(np.nanmean(reached)) if count else math.nan])
    return cell if count == len(reached) else Cell(cell.text, f"({count} of {len(reached)})")
