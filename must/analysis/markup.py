"""A table as text: Markdown for a README, LaTeX (booktabs) for a paper."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One cell."""

    text: str
    detail: str = ""
    """Spread or interval, in smaller type where there is one."""
    bold: bool = False
    """The best of its column."""
    underline: bool = False
    """The second best; marked in LaTeX only."""


@dataclass(frozen=True)
class Table:
    """A table: the first `keys` columns are aligned left, the others right."""

    title: str
    """Stands above the table; may be empty."""
    columns: tuple[str, ...]
    keys: int
    rows: tuple[tuple[Cell, ...], ...]
    screen_only: int = 0
    """How many of the last columns a page has no room for."""


_NAMED = {"\\": "backslash", "~": "asciitilde", "^": "asciicircum", "<": "less", ">": "greater", "|": "bar"}
_LATEX = {char: f"\\{char}" for char in "&%$#_{}"} | {char: rf"\text{name}{{}}" for char, name in _NAMED.items()}
_LATEX |= {"±": r"$\pm$", "\N{EN DASH}": "--"}

_NO_WIDER = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}"
"""Makes a box that is wider than the text (a sweep over many settings in one column) as wide as that."""

_MARKDOWN = {"\\": "\\\\", "|": "\\|", "*": "\\*", "_": "\\_", "~": "\\~", "`": "\\`", "<": "&lt;"}


def escape_latex(text: str) -> str:
    """Write plain text so that LaTeX prints it as it is; other characters than ASCII become a question mark."""
    return "".join(_LATEX.get(char, char if char.isascii() else "?") for char in text)


def escape_markdown(text: str) -> str:
    """Write plain text so that Markdown prints it as it is."""
    return "".join(_MARKDOWN.get(char, char) for char in text)


def to_markdown(tables: Sequence[Table], notes: Sequence[str]) -> str:
    """Write tables, and the notes below them, as Markdown."""
    parts = []
    for table in tables:
        if table.title:
            parts.append(f"**{escape_markdown(table.title)}**")
        align = ["---"] * table.keys + ["---:"] * (len(table.columns) - table.keys)
        rows = [[escape_markdown(column) for column in table.columns], align]
        rows += [list(map(_markdown_cell, cells)) for cells in table.rows]
        parts.append("\n".join(f"| {' | '.join(row)} |" for row in rows))
    return "\n\n".join([*parts, *map(escape_markdown, notes)]) + "\n"


def to_latex(tables: Sequence[Table], notes: Sequence[str]) -> str:
    r"""Write tables, and the notes below them, as LaTeX to be taken in with ``\input``.

    One table fits a float; several follow each other down the page.
    """
    parts = [r"% Needs \usepackage{booktabs,graphicx}.", r"\begingroup\footnotesize\setlength{\tabcolsep}{4pt}"]
    for table in tables:
        if table.title:
            parts.append(rf"\noindent\textbf{{{escape_latex(table.title)}}}\par\nobreak\smallskip")
        parts.append(rf"\noindent{_NO_WIDER}{{!}}{{%" + f"\n{_tabular(table)}}}" + r"\par\medskip")
    parts += [rf"\noindent {escape_latex(note)}\par" for note in notes]
    return "\n".join([*parts, r"\endgroup"]) + "\n"


def _tabular(table: Table) -> str:
    columns = table.columns[: len(table.columns) - table.screen_only]
    aligned = ["l"] * table.keys + ["r"] * (len(columns) - table.keys)
    # Headings take as many lines as the column below them is narrow: a paper's column has no room to spare.
    widths = [max(len(row[i].text) + len(row[i].detail) // 2 for row in table.rows) for i in range(len(aligned))]
    headings = map(_latex_heading, columns, widths, aligned)
    lines = [
        rf"\begin{{tabular}}{{{''.join(aligned)}}}",
        r"\toprule",
        " & ".join(headings) + r" \\",
        r"\midrule",
        *(" & ".join(map(_latex_cell, row[: len(columns)])) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines)


def _latex_heading(text: str, width: int, aligned: str) -> str:
    lines = textwrap.wrap(text, max(width, *map(len, text.split())), break_long_words=False, break_on_hyphens=False)
    if len(lines) < 2:
        return escape_latex(text)
    stacked = r"\\".join(map(escape_latex, lines))
    return rf"\begin{{tabular}}[b]{{@{{}}{aligned}@{{}}}}{stacked}\end{{tabular}}"


def _markdown_cell(cell: Cell) -> str:
    text = escape_markdown(f"{cell.text} {cell.detail}".strip())
    return f"**{text}**" if cell.bold else text


def _latex_cell(cell: Cell) -> str:
    text = escape_latex(cell.text)
    if cell.bold:
        text = rf"\textbf{{{text}}}"
    if cell.underline:
        text = rf"\underline{{{text}}}"
    return rf"{text} {{\scriptsize {escape_latex(cell.detail)}}}" if cell.detail else text
