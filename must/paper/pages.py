"""The text of a paper: what was run, its figures and tables, its settings, and how all of it is reproduced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from must import __version__
from must.analysis.markup import escape_latex
from must.analysis.measures import overlapping, ranked
from must.analysis.notes import left_out_notes
from must.analysis.statistics import Interval
from must.config.outputs import compares_methods
from must.data import Results
from must.data.blocks import blocks_of, judged_on
from must.data.names import method_label
from must.paper.appendix import (
    Commands,
    checklist_part,
    commands_part,
    compute_part,
    settings_part,
    software_part,
)
from must.paper.captions import caption, title
from must.paper.latex import code
from must.paper.record import Record, record_of
from must.words import count_of, range_of

_DOT = 1 / 300
"""Inches of a pixel of the figures' PNG files."""
_MAIN_ROWS = 30
"""Most settings of a table that stands among the figures; a longer one is in the appendix."""


class Style(NamedTuple):
    """The room that a page has, in inches."""

    column: float
    page: float
    height: float = 8.2
    """Of a figure that has a page of its own."""


STYLES = {"conference": Style(3.4, 7.0), "plain": Style(6.5, 6.5)}
"""Name -> style; the file of the same name sets the page."""


def document(results: Results, style: str, figures: Sequence[str], tables: Sequence[str], commands: Commands) -> str:
    """Write the paper as LaTeX, to lie in a directory beside those of its figures and tables.

    Args:
        results: The runs.
        style: One of `STYLES`.
        figures: Their names, in their order.
        tables: Likewise.
        commands: What made them.
    """
    here, record = Path(__file__).parent, record_of(results)
    head = [(here / f"{name}.tex").read_text(encoding="utf-8") for name in (style, "preamble")]
    main = tables[:1] if len(results.groups) <= _MAIN_ROWS else []
    parts = [
        *head,
        r"\begin{document}",
        _title(results, record),
        r"\suppressfloats[t]",  # text first
        *_what_was_run(results, record),
        r"\section{Results}",
        _finding(results),
        *(_table(name, results, floats=True) for name in main),
        *(_figure(name, results, STYLES[style]) for name in figures),
        r"\onecolumnpart\appendix",
        r"\section{Tables}",
        *(_table(name, results) for name in tables if name not in main),
        *settings_part(results),
        r"\section{Reproducibility}",
        *compute_part(record),
        *software_part(record),
        *commands_part(record, commands, figures, tables),
        *checklist_part(results, record),
        r"\end{document}",
    ]
    return "\n".join(parts) + "\n"


def _title(results: Results, record: Record) -> str:
    runs = f"{len(record.finished)} of {count_of(record.planned, 'run')} finished"
    made = f"must {__version__}; {runs}; {count_of(len(record.seeds), 'seed')}"
    return rf"\papertitle{{Experiment {code(results.experiment.name)}}}{{{escape_latex(made)}}}"


def _what_was_run(results: Results, record: Record) -> list[str]:
    """Describe the experiment in a paragraph, and what is missing of it in another."""
    experiment, groups = results.experiment, results.groups
    methods = list(dict.fromkeys(method_label(group.config) for group in groups))
    tasks = {group.tasks: group.settings.get("benchmark") or experiment.env.benchmark for group in groups}
    named = [
        f"{count_of(len(each), 'task')}{f' ({name})' if name else ''} of Meta-World" for each, name in tasks.items()
    ]
    last, planned = experiment.report.final_evaluations, [len(group.runs) for group in groups]
    episodes = experiment.evaluated(last=True)
    reward, goals, horizon = (judged_on(results, key) for key in ("reward", "goals", "horizon"))
    steps = f", of {episodes.horizon} steps" if episodes.horizon != experiment.env.horizon else ""
    text = (
        f"{_listed(methods)} {'are' if len(methods) > 1 else 'is'} trained on {_listed(named)} with reward "
        f"{reward} and {goals} goals, in episodes of {horizon} steps: "
        f"{count_of(len(groups), 'setting')} with {range_of(planned, 'seed')} each, "
        f"{count_of(record.planned, 'run')} in all, of which {len(record.finished)} are finished. The final success of "
        f"a run is {'that of its last evaluation' if last == 1 else f'the mean of its last {last} evaluations'}, with "
        f"{count_of(episodes.number, 'episode')} of each task{steps}."
    )
    missing = left_out_notes(results)
    parts = [r"\section{What was run}", escape_latex(text), ""]
    return parts + ([rf"\paragraph{{What is missing.}} {escape_latex(' '.join(missing))}", ""] if missing else [])


def _finding(results: Results) -> str:
    """Name the settings with the highest success, and whether the runs settle that they are the best."""
    sentences = []
    for block in blocks_of(results):
        rows = [row for row in ranked(results, block.groups) if row.rank is not None]
        if not rows:
            continue
        where = f" ({block.title})" if block.settings else ""
        text = f"The highest mean final success{where} has {rows[0].name}: {_interval(rows[0].mean)}"
        if len(rows) > 1:
            text += f", before {rows[1].name} with {_interval(rows[1].mean)}"
            unsettled = (rows[0].name, rows[1].name) in overlapping(rows)
            text += ". The runs do not settle which of the two is better" if unsettled else ""
        sentences.append(f"{text}.")
    compared = "methods" if compares_methods(results.experiment) else "settings"
    also = f"Tables and figures show all {compared}; intervals are 95 % intervals over seeds."
    return escape_latex(" ".join([*sentences, also])) + "\n"


def _interval(value: Interval) -> str:
    return f"{value.value:.2f}" + ("" if math.isnan(value.low) else f" [{value.low:.2f}, {value.high:.2f}]")


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _caption(name: str, results: Results) -> str:
    return rf"\textbf{{{escape_latex(title(name))}.}} {escape_latex(caption(name, results.experiment))}"


def _figure(name: str, results: Results, style: Style) -> str:
    """Write a figure at its own size, or smaller where it does not fit; over all columns if it is wider than one."""
    with Image.open(results.directory / "figures" / f"{name}.png") as image:
        wide, high = (side * _DOT for side in image.size)
    room = style.column if wide <= style.column + 0.1 else style.page
    wide, high = min(wide, room), high * min(1, room / wide)
    scale = min(1.0, style.height / high)
    where = "p" if high * scale > 0.7 * style.height else "ht"
    kind = "figure" if room == style.column else "pagefigure"
    graphics = rf"\includegraphics[width={wide * scale:.3f}in]{{../figures/{name}.pdf}}"
    text = rf"\caption{{{_caption(name, results)}}}\label{{fig:{name}}}"
    return f"\\begin{{{kind}}}[{where}]\n\\centering {graphics}\n{text}\n\\end{{{kind}}}"


def _table(name: str, results: Results, floats: bool = False) -> str:
    text = f"{{{_caption(name, results)}}}\\label{{tab:{name}}}"
    source = rf"\input{{../tables/{name}.tex}}"
    if floats:
        return f"\\begin{{pagetable}}\n\\caption{text}\n{source}\n\\end{{pagetable}}"
    above = (
        rf"\noindent\begin{{minipage}}{{\linewidth}}\captionof{{table}}{text}\end{{minipage}}\par\nopagebreak\smallskip"
    )
    return f"{above}\n{source}\\bigskip\n"
