"""A table as text: Markdown for a README, LaTeX (booktabs) for a paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One cell."""

    text: str
    bold: bool = False


@dataclass(frozen=True)
class Table:
    """A table: the first `keys` columns are aligned left, the others right."""

    title: str
    """Stands above the table; may be empty."""
    columns: tuple[str, ...]
    keys: int
    rows: tuple[tuple[Cell, ...], ...]


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "\N{EN DASH}": "--",
}

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
    parts = [r"% Needs \usepackage{booktabs}.", r"\begingroup\footnotesize\setlength{\tabcolsep}{4pt}"]
    for table in tables:
        if table.title:
            parts.append(rf"\noindent\textbf{{{escape_latex(table.title)}}}\par\nobreak\smallskip")
        parts.append(rf"\noindent{_tabular(table)}\par\medskip")
    parts += [rf"\noindent {escape_latex(note)}\par" for note in notes]
    return "\n".join([*parts, r"\endgroup"]) + "\n"


def _tabular(table: Table) -> str:
    columns = "l" * table.keys + "r" * (len(table.columns) - table.keys)
    lines = [
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(map(escape_latex, table.columns)) + r" \\",
        r"\midrule",
        *(" & ".join(map(_latex_cell, row)) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines)


def _markdown_cell(cell: Cell) -> str:
    text = escape_markdown(cell.text)
    return f"**{text}**" if cell.bold else text


def _latex_cell(cell: Cell) -> str:
    text = escape_latex(cell.text)
    return rf"\textbf{{{text}}}" if cell.bold else text
