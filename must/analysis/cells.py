"""Numbers as cells of a table: rounded, with their spread or interval, the best and the second best marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from must.analysis.markup import Cell
from must.analysis.statistics import FloatArray, Interval, over_runs
from must.data.names import NOTHING


def spread_cells(runs: Sequence[FloatArray]) -> list[Cell]:
    """Write comparable means of runs, each (R,), with their standard deviations; the highest is the best."""
    spreads = [over_runs(values) for values in runs]
    details = ["" if math.isnan(spread.std) else f"± {float(spread.std):.2f}" for spread in spreads]
    return _marked([_number(float(spread.mean)) for spread in spreads], details, highest=True)


def interval_cells(intervals: Sequence[Interval], highest: bool = True) -> list[Cell]:
    """Write comparable values with their intervals, where there are any; the highest (or the lowest) is the best."""
    details = ["" if math.isnan(each.low) else f"[{each.low:.2f}, {each.high:.2f}]" for each in intervals]
    return _marked([_number(each.value) for each in intervals], details, highest)


def spread_and_interval_cells(runs: Sequence[FloatArray], intervals: Sequence[Interval]) -> list[Cell]:
    """Write comparable means of runs with standard deviations and intervals, where there are any."""
    return [
        replace(cell, detail=" ".join(filter(None, (cell.detail, other.detail))))
        for cell, other in zip(spread_cells(runs), interval_cells(intervals), strict=True)
    ]


def plain_cells(values: Sequence[float], digits: int = 2) -> list[Cell]:
    """Write values of which none is the best."""
    return [Cell(_number(value, digits)) for value in values]


def count_cells(values: Sequence[float]) -> list[Cell]:
    """Write counts with three significant digits and a letter for thousands and millions: ``93.1k``."""
    return [Cell(NOTHING if math.isnan(value) else _count(value)) for value in values]


def csv_number(value: float) -> str:
    """Write a number with six decimals; what does not exist stays empty."""
    return "" if math.isnan(value) else f"{value:.6f}"


def interval_record(name: str, interval: Interval) -> dict[str, str]:
    """Return the fields ``name``, ``name_low`` and ``name_high`` of a record."""
    return {f"{name}{end}": csv_number(x) for end, x in zip(("", "_low", "_high"), interval, strict=True)}


def spread_record(name: str, runs: FloatArray) -> dict[str, str]:
    """Return the fields ``name_mean`` and ``name_std`` of runs (R,)."""
    return {f"{name}_{what}": csv_number(float(x)) for what, x in over_runs(runs)._asdict().items()}


def _number(value: float, digits: int = 2) -> str:
    return NOTHING if math.isnan(value) else f"{value:.{digits}f}"


def _count(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.{max(0, 2 - int(math.log10(value / size)))}f}{letter}"
    return f"{value:.0f}"


def _marked(texts: Sequence[str], details: Sequence[str], highest: bool) -> list[Cell]:
    """Mark the best and the second best of the printed values, all that print alike; nothing where all do."""
    ranked = sorted({text for text in texts if text != NOTHING}, key=float, reverse=highest)
    best, second = (ranked[0], ranked[1]) if len(ranked) > 1 else (None, None)
    return [
        Cell(text, detail, bold=text == best, underline=text == second)
        for text, detail in zip(texts, details, strict=True)
    ]
