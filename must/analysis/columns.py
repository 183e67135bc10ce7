"""What tables say of groups of runs: of each measure a column of cells, and the numbers for a CSV file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from must.analysis.markup import Cell
from must.analysis.measures import Ranked, area, final_iqm, final_mean, improvement
from must.analysis.statistics import (
    FloatArray,
    Interval,
    Spread,
    best_success,
    mean,
    median,
    optimality_gap,
    over_runs,
    steps_to,
    with_interval,
)
from must.data import Group, Results, Status
from must.data.controls import trains_static_control
from must.data.costs import cost_of
from must.data.names import NOTHING

TASK_COLUMNS = 10
"""Most tasks that the Markdown table gives a column each; with more, `per_task` is the place to look."""
COSTS = {
    "density": ("Density", 2),
    "policy_parameters": ("Params", None),
    "policy_parameters_kept": ("Params kept", None),
    "flops_per_action": ("FLOPs per action", None),
    "generator_parameters": ("Generator params", None),
    "gradient_steps_per_s": ("Gradient steps/s", 1),
    "env_steps_per_s": ("Env. steps/s", None),
    "minutes": ("Minutes per run", 1),
    "cpu_minutes": ("CPU minutes", 1),
}
"""Cost -> heading, and decimals; without, it is a count."""
COMPARED_COSTS = {
    "policy_parameters": ("Policy params", None),
    "policy_parameters_kept": ("Used by a task", None),
    "all_parameters": ("All params", None),
    "minutes": ("Minutes per run", 1),
    "cpu_minutes": ("CPU minutes", 1),
}


class Column(NamedTuple):
    """A measure of some groups."""

    heading: str
    """Empty where no table shows it."""
    cells: Sequence[Cell]
    """Of each group."""
    numbers: Sequence[Mapping[str, object]] = ()
    """Of each group: field of the CSV file -> value, NaN for what does not exist."""


def of_runs(
    heading: str, name: str, runs: Sequence[FloatArray], intervals: Sequence[Interval] = (), task: str = ""
) -> Column:
    """Return the means of runs, each (R,), with standard deviations and, if given, intervals; the highest is best."""
    spreads: list[Spread] = [over_runs(each) for each in runs]
    ends: Sequence[Interval | None] = intervals or [None] * len(runs)
    numbers: list[dict[str, float]] = []
    details = []
    for spread, each in zip(spreads, ends, strict=True):
        low_high = {f"{name}_mean_low": each.low, f"{name}_mean_high": each.high} if each else {}
        numbers.append({f"{name}_mean{task}": float(spread.mean)} | low_high | {f"{name}_std{task}": float(spread.std)})
        deviation = "" if math.isnan(spread.std) else f"± {spread.std:.2f}"
        details.append(f"{deviation} {_brackets(each)}".strip() if each else deviation)
    return Column(heading, _marked([float(spread.mean) for spread in spreads], details), numbers)


def of_intervals(heading: str, name: str, intervals: Sequence[Interval], highest: bool | None = True) -> Column:
    """Return values with their intervals, where there are any; the highest (or the lowest, or none) is the best."""
    numbers = [{f"{name}{end}": x for end, x in zip(("", "_low", "_high"), each, strict=True)} for each in intervals]
    return Column(heading, _marked([each.value for each in intervals], map(_brackets, intervals), highest), numbers)


def of_numbers(heading: str, name: str, values: Sequence[float], written: Callable[[float], str]) -> Column:
    """Return numbers of which none is better than another."""
    return Column(heading, [Cell(written(value)) for value in values], [{name: value} for value in values])


def of_costs(groups: Sequence[Group], shown: Mapping[str, tuple[str, int | None]]) -> list[Column]:
    """Return what groups cost, none of it marked as the best."""
    columns = []
    for name, (heading, digits) in shown.items():
        values = [float(getattr(cost_of(group), name)) for group in groups]
        columns.append(of_numbers(heading, name, values, _count if digits is None else partial(number, digits=digits)))
    return columns


def seeds(groups: Sequence[Group]) -> Column:
    """Return how many seeds of each group count, of how many planned."""
    cells = [Cell(f"{len(group.finished)} of {len(group.runs)}") for group in groups]
    numbers = [{"seeds": len(group.finished), "seeds_planned": len(group.runs)} for group in groups]
    return Column("Seeds", cells, numbers)


def best_of(group: Group) -> FloatArray:
    """Return the (R, K) success at the best evaluation of each run."""
    return best_success(group.curve)


def success(results: Results, groups: Sequence[Group]) -> list[Column]:
    """Return the success of groups, means over the tasks, and of each task."""
    finals, bests = [results.final(group) for group in groups], list(map(best_of, groups))
    left_out = [status for status in Status if status is not Status.FINISHED]
    counts = [{str(each): sum(run.status is each for run in group.runs) for each in left_out} for group in groups]
    columns = [
        Column("", (), seeds(groups).numbers),
        Column("", (), counts),
        of_runs("Final success", "final", _means(finals), [final_mean(results, group) for group in groups]),
        of_intervals("Final IQM", "final_iqm", [final_iqm(results, group) for group in groups]),
        of_runs("Best success", "best", _means(bests)),
    ]
    tasks = dict.fromkeys(task for group in groups for task in group.tasks)
    for task in tasks:
        for name, rates in (("final", finals), ("best", bests)):
            each = [
                one[:, group.tasks.index(task)] if task in group.tasks else np.zeros(0)
                for group, one in zip(groups, rates, strict=True)
            ]
            shown = name == "final" and len(tasks) <= TASK_COLUMNS
            columns.append(of_runs(task if shown else "", name, each, task=f"/{task}"))
    return columns


def aggregates(results: Results, groups: Sequence[Group]) -> list[Column]:
    """Return how sure differences between groups are, and how fast success came."""
    controls = {("", "dense"): results.control_of}
    if trains_static_control(results.experiment):
        controls[" than static", "static"] = results.static_control_of

    def compared(heading: str, name: str, by_area: bool = False) -> list[Column]:
        return [
            _of_comparison(
                heading.format(than),
                f"{name}_over_{what}",
                [improvement(results, group, control(group), by_area) for group in groups],
            )
            for (than, what), control in controls.items()
        ]

    finals = [results.final(group) for group in groups]
    gaps = [with_interval(optimality_gap, final) for final in finals]
    return [
        Column("", (), [{"seeds": len(group.finished)} for group in groups]),
        of_intervals("Median", "median", [with_interval(median, final) for final in finals]),
        of_intervals("Optimality gap", "optimality_gap", gaps, highest=False),
        *compared("P(better{})", "probability_of_improvement"),
        of_intervals("Area under curve", "area_under_curve", [with_interval(mean, area(group)) for group in groups]),
        *compared("P(better{}) by area", "area_probability_of_improvement", by_area=True),
        _steps(groups, results.experiment.report.success_rate),
    ]


def _steps(groups: Sequence[Group], rate: float) -> Column:
    """Return the mean steps of the runs that reached a success rate, and how many did if not all."""
    cells, numbers = [], list[dict[str, object]]()
    for group in groups:
        each = steps_to(group.curve_steps, group.curve.mean(axis=2), rate) if group.finished else np.zeros(0)
        reached = each[~np.isnan(each)]
        text = _count(float(reached.mean()) if len(reached) else math.nan)
        cells.append(Cell(text, "" if len(reached) == len(each) else f"({len(reached)} of {len(each)})"))
        steps = " ".join("" if math.isnan(x) else f"{x:.0f}" for x in each)
        known = {"success_rate_to_reach": f"{rate:.10g}", "steps_to_success_rate": steps}
        numbers.append(known | {"runs_that_reached_it": len(reached)})
    return Column(f"Steps to {rate:.10g}", cells, numbers)


def cost(_: Results, groups: Sequence[Group]) -> list[Column]:
    """Return what groups cost: parameters, arithmetic, time; and on which machines."""
    numbers: list[dict[str, object]] = []
    for group in groups:
        found = {name: {str(run.manifest.get(name) or "none") for run in group.finished} for name in ("cpu", "gpu")}
        machines = {name: " | ".join(sorted(names)) for name, names in found.items()}
        numbers.append(cost_of(group)._asdict() | machines)
    return [*(column._replace(numbers=()) for column in of_costs(groups, COSTS)), Column("", (), numbers)]


def comparison(results: Results, rows: Sequence[Ranked]) -> list[Column]:
    """Return what decides between methods."""
    groups, static = [row.group for row in rows], list[Column]()
    if trains_static_control(results.experiment):
        better = [improvement(results, group, results.static_control_of(group)) for group in groups]
        static = [_of_comparison("P(better than static)", "probability_of_improvement_over_static", better)]
    return [
        of_runs("Final success", "final", [row.runs for row in rows], [row.mean for row in rows]),
        of_intervals("Final IQM", "final_iqm", [row.middle for row in rows]),
        _of_comparison(
            "P(better than MT-SAC)", "probability_of_improvement_over_mt_sac", [row.improvement for row in rows]
        ),
        *static,
        *of_costs(groups, COMPARED_COSTS),
    ]


def _of_comparison(heading: str, name: str, intervals: Sequence[Interval]) -> Column:
    """Return comparisons with controls; no table shows them where no group has one: they would be dashes alone."""
    compared = any(not math.isnan(each.value) for each in intervals)
    return of_intervals(heading if compared else "", name, intervals)


def number(value: float, digits: int = 2) -> str:
    """Write a number with so many decimals; what does not exist is a dash."""
    return NOTHING if math.isnan(value) else f"{value:.{digits}f}"


def _count(value: float) -> str:
    """Write a count with three significant digits and a letter for thousands and millions: ``93.1k``."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.{max(0, 2 - int(math.log10(value / size)))}f}{letter}"
    return number(value, 0)


def _means(rates: Sequence[FloatArray]) -> list[FloatArray]:
    return [each.mean(axis=1) for each in rates]


def _brackets(interval: Interval) -> str:
    return "" if math.isnan(interval.low) else f"[{interval.low:.2f}, {interval.high:.2f}]"


def _marked(values: Sequence[float], details: Iterable[str], highest: bool | None = True) -> list[Cell]:
    """Mark the best and second best of the printed values, all that print alike; nothing where all do, or none is."""
    texts = list(map(number, values))
    ranked = sorted({text for text in texts if text != NOTHING}, key=float, reverse=bool(highest))
    best, second = (ranked[0], ranked[1]) if len(ranked) > 1 and highest is not None else (None, None)
    return [
        Cell(text, detail, bold=text == best, underline=text == second)
        for text, detail in zip(texts, details, strict=True)
    ]
