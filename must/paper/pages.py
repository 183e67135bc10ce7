"""The text of a paper: what was run, its figures and tables, its settings, and how all of it is reproduced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from must import __version__
from must.analysis.markup import escape_latex
from must.analysis.measures import by_benchmark, overlapping, ranked
from must.analysis.notes import left_out_notes
from must.analysis.statistics import Interval
from must.config.outputs import compares_methods
from must.data import Results
from must.data.names import method_label
from must.paper.captions import caption, title
from must.paper.checklist import answers
from must.paper.latex import code, long_table
from must.paper.record import Record, record_of
from must.paper.settings import settings_of
from must.words import count_of

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


class Commands(NamedTuple):
    """What is typed to make an experiment's results."""

    config: str
    results: str

    @property
    def tables(self) -> str:
        """What writes the tables anew."""
        return f"must aggregate --config {self.config} --results {self.results}"

    def figure(self, name: str) -> str:
        """Return what draws one figure anew."""
        return f"must figures --config {self.config} --results {self.results} --only {name}"


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
        *_settings(results),
        r"\section{Reproducibility}",
        *_compute(record),
        *_made_with(record),
        *_commands(record, commands, figures, tables),
        *_checklist(results, record),
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
    tasks = {group.settings.get("benchmark") or experiment.env.benchmark or "": group.tasks for group in groups}
    named = [
        f"{count_of(len(each), 'task')}{f' ({name})' if name else ''} of Meta-World" for name, each in tasks.items()
    ]
    last = experiment.report.final_evaluations
    text = (
        f"{_listed(methods)} {'are' if len(methods) > 1 else 'is'} trained on {_listed(named)} with reward "
        f"{experiment.env.reward} and {experiment.env.goals} goals, in episodes of {experiment.env.horizon} steps: "
        f"{count_of(len(groups), 'setting')} with {count_of(len(experiment.sweep.seeds), 'seed')} each, "
        f"{count_of(record.planned, 'run')} in all, of which {len(record.finished)} are finished. The final success of "
        f"a run is {'that of its last evaluation' if last == 1 else f'the mean of its last {last} evaluations'}, with "
        f"{count_of(experiment.evaluation.last_episodes, 'episode')} of each task."
    )
    missing = left_out_notes(results)
    parts = [r"\section{What was run}", escape_latex(text), ""]
    return parts + ([rf"\paragraph{{What is missing.}} {escape_latex(' '.join(missing))}", ""] if missing else [])


def _finding(results: Results) -> str:
    """Name the settings with the highest success, and whether the runs settle that they are the best."""
    sentences = []
    for groups in by_benchmark(results):
        rows = [row for row in ranked(results, groups) if row.rank is not None]
        if not rows:
            continue
        where = f" on {groups[0].settings['benchmark']}" if "benchmark" in groups[0].settings else ""
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


def _settings(results: Results) -> list[str]:
    """Write the settings that all share, those of each method, and those that some read."""
    settings = settings_of(results)
    cells = [(code(key), code(value)) for key, value in settings.shared.items()]
    half = -(-len(cells) // 2)
    pairs = [left + right for left, right in zip(cells[:half], [*cells[half:], ("", "")], strict=False)]
    parts = [r"\section{Settings}", r"\begingroup\footnotesize"]
    tasks = dict.fromkeys((group.settings.get("benchmark", ""), group.tasks) for group in results.groups)
    parts += [
        rf"\noindent Tasks{f' of {escape_latex(name)}' if name else ''}: {escape_latex(', '.join(each))}.\par\medskip"
        for name, each in tasks
    ]
    text = r"\textbf{Settings that all methods share.}"
    parts.append(long_table(("Setting", "Value") * 2, (0.29, 0.21, 0.29, 0.21), pairs, text))
    rows = [
        (str(number), escape_latex(name), "; ".join(code(f"{key}={value}") for key, value in own.items()) or "none")
        for number, (name, own) in enumerate(zip(settings.names, settings.own, strict=True), start=1)
    ]
    text = r"\textbf{Methods, and the settings that set them apart.} What a method does not read is not there."
    parts.append(long_table(("", "Method", "Its own settings"), (0.04, 0.26, 0.7), rows, text))
    if settings.partly:
        read = [(code(key), code(value), _numbers(who)) for key, (value, who) in settings.partly.items()]
        text = r"\textbf{Settings that only some methods read,} with the same value in all of them."
        parts.append(long_table(("Setting", "Value", "Methods"), (0.35, 0.25, 0.4), read, text))
    return [*parts, r"\endgroup"]


def _numbers(positions: Sequence[int]) -> str:
    """Write ascending positions from 0 as numbers from 1, with ranges: ``1--4, 7``."""
    spans: list[list[int]] = []
    for position in positions:
        if spans and position == spans[-1][-1] + 1:
            spans[-1].append(position)
        else:
            spans.append([position])
    return ", ".join(f"{span[0] + 1}--{span[-1] + 1}" if len(span) > 1 else str(span[0] + 1) for span in spans)


def _compute(record: Record) -> list[str]:
    """Write what the finished runs took, on which machines."""
    total = record.total
    several = len(record.machines) > 1
    rows = [
        (
            escape_latex(each.name if each is not total else "All"),
            escape_latex(each.platform),
            str(each.runs),
            *(_hours(hours) for hours in (each.hours, each.core_hours, each.cpu_hours, each.gpu_hours)),
        )
        for each in [*record.machines, *([total] if several else [])]
    ]
    text = (
        "Compute of the finished runs in hours: by the clock (wall); the same for each thread of the learner (core); "
        "of CPU, workers too, as far as the runs logged it; and by the clock on a GPU. A dash stands for what was not "
        "logged."
    )
    headings = ("Machine", "System", "Runs", "Wall", "Core", "CPU", "GPU")
    widths = (0.27, 0.33, 0.08, 0.08, 0.08, 0.08, 0.08)
    table = long_table(headings, widths, rows, rf"\textbf{{Compute.}} {escape_latex(text)}")
    return [r"\subsection{Compute}", r"\begingroup\footnotesize", table, r"\endgroup"]


def _hours(value: float) -> str:
    return "--" if math.isnan(value) else f"{value:.2f}"


def _made_with(record: Record) -> list[str]:
    """Write seeds, versions, commits and images."""
    changed = r" (with uncommitted changes)"
    commits = [code(name) + (changed if dirty else "") for name, dirty in record.commits.items()]
    images = ["no container" if digest == "none" else code(digest) for digest in record.containers]
    rows = [("Commits of the code", r"; ".join(commits)), ("Image", "; ".join(images))]
    rows += [(escape_latex(name), escape_latex(", ".join(each))) for name, each in record.software.items()]
    seeds = f"Seeds of the finished runs: {', '.join(record.seeds)}. A run's seed settles all that is random in it."
    if record.interrupted:
        seeds += f" {count_of(record.interrupted, 'run')} went on from a checkpoint after an interruption."
    more = "The manifest.json of each run has these of every start."
    table = long_table(("What", "Version"), (0.24, 0.76), rows, rf"\textbf{{Software.}} {escape_latex(more)}")
    return [
        r"\subsection{Seeds and software}",
        f"{escape_latex(seeds)}\n",
        r"\begingroup\footnotesize",
        table,
        r"\endgroup",
    ]


def _commands(record: Record, commands: Commands, figures: Sequence[str], tables: Sequence[str]) -> list[str]:
    """Write what is typed to train the runs again, and to make each figure and table from their logs."""
    commit = next(iter(record.commits)) if len(record.commits) == 1 else "COMMIT"
    image = record.containers != ["none"]
    config = f"CONFIG={commands.config}"
    profile = " PROFILE=workflow/profiles/local-apptainer" if image else ""
    rows = [
        ("The code", f"git checkout {commit}"),
        ("All of it, trained anew", f"make reproduce {config}{profile}"),
        ("Tables and figures from the logs", f"make figures {config} RESULTS={commands.results}"),
        ("This document", f"make paper {config} RESULTS={commands.results}"),
        (_references("Table", "tab", tables), commands.tables),
        *((_references("Figure", "fig", [name]), commands.figure(name)) for name in figures),
    ]
    cells = [(what, code(command)) for what, command in rows]
    text = r"\textbf{Commands}, to be typed in a checkout of the code."
    if len(record.commits) > 1:
        text += r" The runs come from several commits: the \texttt{manifest.json} of each names its own."
    return [
        r"\subsection{Commands}",
        r"\begingroup\footnotesize",
        long_table(("What", "Command"), (0.24, 0.76), cells, text),
        r"\endgroup",
    ]


def _references(word: str, kind: str, names: Sequence[str]) -> str:
    references = [rf"\ref{{{kind}:{name}}}" for name in names]
    return f"{word if len(names) == 1 else f'{word}s'}~{', '.join(references)}"


def _checklist(results: Results, record: Record) -> list[str]:
    """Write the answers to what the NeurIPS checklist asks about reproducibility."""
    rows = [tuple(map(escape_latex, each)) for each in answers(results, record)]
    text = "Reproducibility checklist, after that of NeurIPS, answered from what the runs recorded."
    table = long_table(("Question", "Answer", "Why"), (0.26, 0.12, 0.62), rows, rf"\textbf{{{text}}}")
    return [r"\subsection{Checklist}", r"\begingroup\footnotesize", table, r"\endgroup"]
