"""The columns of the tables, and the fields of their CSV files: of each group its success, aggregates and cost."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

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
from must.analysis.markup import Cell
from must.analysis.measures import area, final_iqm, final_mean, improvement
from must.analysis.statistics import best_success, mean, median, optimality_gap, over_runs, steps_to, with_interval
from must.data import Group, Results, Status
from must.data.costs import cost_of
from must.data.logs import FloatArray
from must.data.runs import trains_static_control

TASK_COLUMNS = 10
"""Most tasks that the Markdown table gives a column each; with more, `per_task` is the place to look."""
Columns = dict[str, list[Cell]]
"""Heading -> a cell for each group."""
Record = dict[str, str]


def best_of(group: Group) -> FloatArray:
    """Return the (R, K) success at the best evaluation of each run."""
    return best_success(group.success)


def success_columns(results: Results, groups: Sequence[Group], with_tasks: bool = False) -> Columns:
    """Return the success of groups, means over the tasks, and where there are few that of each task."""
    tasks = groups[0].tasks if with_tasks and len(groups[0].tasks) <= TASK_COLUMNS else ()
    finals = [results.final(group) for group in groups]
    return {
        "Final success": spread_and_interval_cells(
            [final.mean(axis=1) for final in finals], [final_mean(results, group) for group in groups]
        ),
        "Final IQM": interval_cells([final_iqm(results, group) for group in groups]),
        "Best success": spread_cells([best_of(group).mean(axis=1) for group in groups]),
        **{task: spread_cells([final[:, k] for final in finals]) for k, task in enumerate(tasks)},
    }


def success_record(results: Results, group: Group) -> Record:
    """Return the success of a group: over tasks, and of each task of the experiment."""
    tasks = dict.fromkeys(task for each in results.groups for task in each.tasks)
    final, best = results.final(group), best_of(group)
    counts = {status: sum(run.status is status for run in group.runs) for status in Status}
    record = {"seeds": str(counts[Status.FINISHED]), "seeds_planned": str(len(group.runs))}
    record |= {str(status): str(counts[status]) for status in Status if status is not Status.FINISHED}
    record |= interval_record("final_mean", final_mean(results, group))
    record |= {"final_std": csv_number(float(over_runs(final.mean(axis=1)).std))}
    record |= interval_record("final_iqm", final_iqm(results, group)) | spread_record("best", best.mean(axis=1))
    for task in tasks:
        for name, rates in (("final", final), ("best", best)):
            runs = rates[:, group.tasks.index(task)] if task in group.tasks else np.zeros(0)
            record |= {f"{key}/{task}": text for key, text in spread_record(name, runs).items()}
    return record


def aggregate_columns(results: Results, groups: Sequence[Group]) -> Columns:
    """Return how sure differences between groups are, and how fast success came."""
    rate = results.experiment.report.success_rate

    def compared(name: str, by_area: bool) -> Columns:
        columns = {name.format(""): results.control_of}
        if trains_static_control(results.experiment):
            columns[name.format(" than static")] = results.static_control_of
        return {
            title: interval_cells([improvement(results, group, control(group), by_area) for group in groups])
            for title, control in columns.items()
        }

    finals = [results.final(group) for group in groups]
    return {
        "Median": interval_cells([with_interval(median, final) for final in finals]),
        "Optimality gap": interval_cells([with_interval(optimality_gap, final) for final in finals], highest=False),
        **compared("P(better{})", by_area=False),
        "Area under curve": interval_cells([with_interval(mean, area(group)) for group in groups]),
        **compared("P(better{}) by area", by_area=True),
        f"Steps to {rate:.10g}": [_steps_cell(group, rate) for group in groups],
    }


def aggregate_record(results: Results, group: Group) -> Record:
    """Return the same as numbers."""
    final, control, rate = results.final(group), results.control_of(group), results.experiment.report.success_rate
    numbers = {
        "median": with_interval(median, final),
        "optimality_gap": with_interval(optimality_gap, final),
        "probability_of_improvement_over_dense": improvement(results, group, control),
        "area_under_curve": with_interval(mean, area(group)),
        "area_probability_of_improvement_over_dense": improvement(results, group, control, by_area=True),
    }
    if trains_static_control(results.experiment):
        static = results.static_control_of(group)
        numbers["probability_of_improvement_over_static"] = improvement(results, group, static)
        numbers["area_probability_of_improvement_over_static"] = improvement(results, group, static, by_area=True)
    record = {"seeds": str(len(group.finished))}
    for name, interval in numbers.items():
        record |= interval_record(name, interval)
    reached = _steps(group, rate)
    return record | {
        "success_rate_to_reach": f"{rate:.10g}",
        "steps_to_success_rate": " ".join("" if math.isnan(x) else f"{x:.0f}" for x in reached),
        "runs_that_reached_it": str(int((~np.isnan(reached)).sum())),
    }


def _steps(group: Group, rate: float) -> FloatArray:
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


def cost_columns(_: Results, groups: Sequence[Group]) -> Columns:
    """Return what groups cost: parameters, arithmetic, time."""
    costs = [cost_of(group) for group in groups]
    return {
        "Density": plain_cells([cost.density for cost in costs]),
        "Params": count_cells([cost.policy_parameters for cost in costs]),
        "Params kept": count_cells([cost.policy_parameters_kept for cost in costs]),
        "FLOPs per action": count_cells([cost.flops_per_action for cost in costs]),
        "Generator params": count_cells([cost.generator_parameters for cost in costs]),
        "Gradient steps/s": plain_cells([cost.gradient_steps_per_s for cost in costs], 1),
        "Env. steps/s": count_cells([cost.env_steps_per_s for cost in costs]),
        "Minutes per run": plain_cells([cost.minutes for cost in costs], 1),
    }


def cost_record(_: Results, group: Group) -> Record:
    """Return the same as numbers, with the machines."""
    machines = {"cpu": {str(run.manifest.get("cpu")) for run in group.finished}}
    machines |= {"gpu": {str(run.manifest.get("gpu") or "none") for run in group.finished}}
    numbers = {name: csv_number(value) for name, value in cost_of(group)._asdict().items()}
    return numbers | {name: " | ".join(sorted(found)) for name, found in machines.items()}
