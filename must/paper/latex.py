"""Writing LaTeX, and turning it into a PDF with what the machine has."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from must.analysis.markup import escape_latex
from must.errors import MustError

PACKAGES = "apt-get install texlive-latex-base texlive-latex-recommended"
"""What Debian and Ubuntu call what a paper needs."""
_MISSING = re.compile(r"File `([^']+)' not found")
_AGAIN = "Rerun"
_PASSES = 5
_TYPED = {"_": r"{\char95}", "'": r"{\char13}", "`": r"{\char18}", "-": "-{}"}
"""What LaTeX draws otherwise than it is typed: an underscore as a line, quotes as those of a text, dashes as one."""
_TAIL = 12
"""Lines of LaTeX's own log that an error shows."""


class LatexError(MustError):
    """A PDF that cannot be made."""


def code(text: str) -> str:
    """Write a name or a command in a typewriter's letters, to be broken where it is long, and copied as it is."""
    return rf"\texttt{{{''.join(map(_letter, text))}}}"


def _letter(char: str) -> str:
    known = _TYPED.get(char) or escape_latex(char)
    return known + (r"\allowbreak{}" if char in "/_.=," else "")


def long_table(headings: Sequence[str], widths: Sequence[float], rows: Sequence[Sequence[str]], caption: str) -> str:
    """Write a table that may go on over several pages.

    Args:
        headings: Of the columns.
        widths: Of the columns, as shares of a line.
        rows: Of cells that are LaTeX already.
        caption: LaTeX.
    """
    room = f"\\dimexpr {{}}\\linewidth-{2 * (len(widths) - 1) / len(widths):.3f}\\tabcolsep\\relax"
    columns = "".join(rf">{{\raggedright\arraybackslash}}p{{{room.format(f'{width:.3f}')}}}" for width in widths)
    head = " & ".join(map(escape_latex, headings))
    body = "\n".join(" & ".join(row) + r" \\" for row in rows)
    return "\n".join(
        [
            rf"\begin{{longtable}}{{@{{}}{columns}@{{}}}}",
            rf"\caption{{{caption}}}\\",
            rf"\toprule {head} \\ \midrule \endfirsthead",
            rf"\toprule {head} \\ \midrule \endhead",
            r"\bottomrule \endfoot",
            body,
            r"\end{longtable}",
        ]
    )


def compile_pdf(source: Path) -> Path:
    """Turn a LaTeX file into a PDF beside it; the same source gives the same bytes on the same machine.

    Raises:
        LatexError: LaTeX is missing, or a part of it, or it fails.
    """
    if shutil.which("pdflatex") is None:
        raise LatexError(
            f"pdflatex: is not installed, so there is no PDF; {PACKAGES} (Debian, Ubuntu), or take {source} elsewhere"
        )
    source.with_suffix(".aux").unlink(missing_ok=True)  # one that broke off would be read
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", source.name]
    env = os.environ | {"max_print_line": "1000"}  # no line of the log is broken
    for _ in range(_PASSES):
        done = subprocess.run(
            command, cwd=source.parent, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        log = done.stdout.decode(errors="replace")
        if done.returncode:
            raise _explained(source, log)
        if _AGAIN not in log:
            break
    return source.with_suffix(".pdf")


def _explained(source: Path, log: str) -> LatexError:
    missing = _MISSING.search(log)
    if missing:
        return LatexError(f"{source}: LaTeX has no {missing[1]}; {PACKAGES} (Debian, Ubuntu)")
    lines = log.splitlines()
    first = next((number for number, line in enumerate(lines) if line.startswith("!")), max(0, len(lines) - _TAIL))
    shown = "\n".join(lines[first : first + _TAIL])
    return LatexError(f"{source}: LaTeX cannot compile it; {source.with_suffix('.log')} says why:\n{shown}")
