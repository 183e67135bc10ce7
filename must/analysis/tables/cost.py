"""What a setting costs: parameters, arithmetic, time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from must.analysis.costs import Cost, cost_of
from must.analysis.load import Group, Results
from must.analysis.markup import Cell, Table
from must.analysis.tables.cells import count_cells, csv_number, plain_cells
from must.analysis.tables.rows import by_benchmark, key_cells, key_columns, key_record, provenance_record

_COLUMNS: dict[str, Callable[[Sequence[Cost]], list[Cell]]] = {
    "Density": lambda costs: plain_cells([cost.density for cost in costs]),
    "Params": lambda costs: count_cells([cost.policy_parameters for cost in costs]),
    "Params kept": lambda costs: count_cells([cost.policy_parameters_kept for cost in costs]),
    "FLOPs per action": lambda costs: count_cells([cost.flops_per_action for cost in costs]),
    "Generator params": lambda costs: count_cells([cost.generator_parameters for cost in costs]),
    "Gradient steps/s": lambda costs: plain_cells([cost.gradient_steps_per_s for cost in costs], 1),
    "Env. steps/s": lambda costs: count_cells([cost.env_steps_per_s for cost in costs]),
    "Minutes per run": lambda costs: plain_cells([cost.minutes for cost in costs], 1),
}


def cost_tables(results: Results) -> list[Table]:
    """Return one table for each benchmark, with one row for each group."""
    return [_table(results, groups) for groups in by_benchmark(results)]


def _table(results: Results, groups: Sequence[Group]) -> Table:
    keys = key_columns(results)
    costs = [cost_of(group) for group in groups]
    columns = [cells(costs) for cells in _COLUMNS.values()]
    rows = [(*key_cells(results, group), *cells) for group, *cells in zip(groups, *columns, strict=True)]
    return Table(groups[0].settings.get("benchmark", ""), (*keys, *_COLUMNS), len(keys) - 1, tuple(rows))


def cost_records(results: Results) -> list[dict[str, str]]:
    """Return one record for each group."""
    return [
        key_record(results, group)
        | {name: csv_number(value) for name, value in cost_of(group)._asdict().items()}
        | {"cpu": " | ".join(sorted({str(run.manifest.get("cpu")) for run in group.finished}))}
        | {"gpu": " | ".join(sorted({str(run.manifest.get("gpu") or "none") for run in group.finished}))}
        | provenance_record(results, group)
        for group in results.groups
    ]
