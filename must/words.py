"""Numbers in words, and tables that fit a terminal or a file."""

from __future__ import annotations

from collections.abc import Sequence

UNKNOWN = "\N{EN DASH}"
"""Stands for what is not known."""


def duration(seconds: float | None) -> str:
    """Write a time: ``40 s``, ``12 min``, ``3 h 20 min``, ``2 d 5 h``; a dash where it is not known."""
    if seconds is None:
        return UNKNOWN
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def hours(seconds: float) -> str:
    """Write an amount of work in hours, with two figures that say something."""
    value = seconds / 3600
    return f"{value:.3f} h" if value < 0.1 else f"{value:.2f} h" if value < 10 else f"{value:,.0f} h".replace(",", " ")


def size(byte_count: float) -> str:
    """Write a number of bytes: ``350 MB``, ``1.2 GB``."""
    megabytes = byte_count / 1e6
    if megabytes < 1:
        return "less than 1 MB"
    if megabytes < 1000:
        return f"{megabytes:.0f} MB"
    gigabytes = megabytes / 1000
    return f"{gigabytes:.1f} GB" if gigabytes < 100 else f"{gigabytes:,.0f} GB".replace(",", " ")


def count_of(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 run``, ``2 runs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def range_of(numbers: Sequence[int], noun: str) -> str:
    """Write the least and the most of some numbers: ``3 to 5 seeds``, or ``5 seeds`` where all are 5."""
    least, most = min(numbers), max(numbers)
    return count_of(most, noun) if least == most else f"{least} to {count_of(most, noun)}"


def columns(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Lay rows out in columns of plain text.

    Args:
        rows: The cells; the first row is the heading.
        right: Columns whose cells end at the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
