"""All methods and settings in one table, best first: how well they do, how sure that is, and at what size and cost."""

from __future__ import annotations

from collections.abc import Sequence

from must.analysis.costs import Cost, cost_of
from must.analysis.labels import NOTHING
from must.analysis.load import Group, Results
from must.analysis.markup import Cell, Table
from must.analysis.ranking import Ranked, ranked
from must.analysis.statistics import over_runs
from must.analysis.tables.cells import (
    count_cells,
    csv_number,
    interval_cells,
    interval_record,
    plain_cells,
    spread_and_interval_cells,
)
from must.analysis.tables.rows import by_benchmark, key_record, provenance_record

_COLUMNS = (
    "Rank",
    "By IQM",
    "Method",
    "Seeds",
    "Final success",
    "Final IQM",
    "P(better than MT-SAC)",
    "Policy params",
    "Used by a task",
    "All params",
    "Minutes per run",
)


def comparison_tables(results: Results) -> list[Table]:
    """Return one table for each benchmark, with one row for each group, the best first."""
    return [_table(results, groups) for groups in by_benchmark(results)]


def _table(results: Results, groups: Sequence[Group]) -> Table:
    rows = ranked(results, groups)
    costs = [cost_of(row.group) for row in rows]
    columns = [
        [_rank_cell(row.rank) for row in rows],
        [_rank_cell(row.rank_by_iqm) for row in rows],
        [Cell(row.name) for row in rows],
        [Cell(f"{len(row.group.finished)} of {len(row.group.runs)}") for row in rows],
        spread_and_interval_cells(
            [over_runs(results.final(row.group).mean(axis=1)) for row in rows], [row.mean for row in rows]
        ),
        interval_cells([row.middle for row in rows]),
        interval_cells([row.improvement for row in rows]),
        count_cells([cost.policy_parameters for cost in costs]),
        count_cells([cost.policy_parameters_kept for cost in costs]),
        count_cells([cost.all_parameters for cost in costs]),
        plain_cells([cost.minutes for cost in costs], 1),
    ]
    return Table(groups[0].settings.get("benchmark", ""), _COLUMNS, 3, tuple(zip(*columns, strict=True)))


def _rank_cell(rank: int | None) -> Cell:
    return Cell(NOTHING if rank is None else str(rank))


def comparison_records(results: Results) -> list[dict[str, str]]:
    """Return one record for each group, benchmark by benchmark, the best first."""
    return [
        _record(results, row, cost_of(row.group)) for groups in by_benchmark(results) for row in ranked(results, groups)
    ]


def _record(results: Results, row: Ranked, cost: Cost) -> dict[str, str]:
    final = over_runs(results.final(row.group).mean(axis=1))
    ranks = {"rank": row.rank, "rank_by_iqm": row.rank_by_iqm}
    record = {name: "" if rank is None else str(rank) for name, rank in ranks.items()} | key_record(results, row.group)
    record |= {"seeds": str(len(row.group.finished)), "seeds_planned": str(len(row.group.runs))}
    return (
        record
        | interval_record("final_mean", row.mean)
        | {"final_std": csv_number(float(final.std))}
        | interval_record("final_iqm", row.middle)
        | interval_record("probability_of_improvement_over_mt_sac", row.improvement)
        | {
            "policy_parameters": csv_number(cost.policy_parameters),
            "policy_parameters_kept": csv_number(cost.policy_parameters_kept),
            "all_parameters": csv_number(cost.all_parameters),
            "minutes": csv_number(cost.minutes),
        }
        | provenance_record(results, row.group)
    )
