"""The appendix of a paper: settings, compute, software, commands, and a checklist."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from must.analysis.markup import escape_latex
from must.data import Results
from must.paper.checklist import answers
from must.paper.latex import code, long_table
from must.paper.record import Record
from must.paper.settings import settings_of
from must.words import count_of


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


def settings_part(results: Results) -> list[str]:
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


def compute_part(record: Record) -> list[str]:
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


def software_part(record: Record) -> list[str]:
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


def commands_part(record: Record, commands: Commands, figures: Sequence[str], tables: Sequence[str]) -> list[str]:
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


def checklist_part(results: Results, record: Record) -> list[str]:
    """Write the answers to what the NeurIPS checklist asks about reproducibility."""
    rows = [tuple(map(escape_latex, each)) for each in answers(results, record)]
    text = "Reproducibility checklist, after that of NeurIPS, answered from what the runs recorded."
    table = long_table(("Question", "Answer", "Why"), (0.26, 0.12, 0.62), rows, rf"\textbf{{{text}}}")
    return [r"\subsection{Checklist}", r"\begingroup\footnotesize", table, r"\endgroup"]
