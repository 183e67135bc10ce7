"""A page of a running sweep: one file that any browser shows, and that asks no other machine for anything."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from html import escape
from pathlib import Path

from must.files import write_atomically
from must.run_files import table
from must.sweep.state import State
from must.sweep.status_text import TROUBLE, cells, outlook, summary
from must.sweep.survey import RunStatus, Survey
from must.sweep.tails import all_rows

WIDTH, HEIGHT = 900, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 8, 36
_MOST_POINTS = 300
"""Points of a curve: a run may have ten thousand evaluations."""
COLOURS = {
    State.FINISHED: "#2e7d32",
    State.RUNNING: "#0277bd",
    State.WAITING: "#5c6bc0",
    State.INTERRUPTED: "#ef6c00",
    State.FAILED: "#c62828",
    State.DAMAGED: "#880e4f",
    State.STALE: "#8e24aa",
    State.MISSING: "#9e9e9e",
}
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
"""Of the settings: colours that colour-blind people tell apart (Okabe and Ito)."""
STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:960px;margin:2em auto;padding:0 1em;color:#222;background:#fff}
h1{font-size:1.5em;margin-bottom:0}h2{font-size:1.1em;margin-top:1.8em}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.15em .7em .15em 0;vertical-align:top}
td.n,th.n{text-align:right}td.path{font-family:monospace;overflow-wrap:anywhere}
.bar{display:flex;height:16px;border-radius:4px;overflow:hidden;background:#eee;margin:.6em 0}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em}
li{overflow-wrap:anywhere}svg{width:100%;height:auto}code{background:#f3f3f3;padding:.1em .3em}
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}code,.bar{background:#333}svg text{fill:#ddd}}
"""


def write_page(path: Path, found: Sequence[Survey], every: float | None) -> None:
    """Write the page of some experiments.

    Args:
        path: Where it lies; its directory must exist.
        found: How they stand.
        every: Seconds after which a browser reads it again; None where it will not be written again.
    """
    text = page(found, every)
    write_atomically(path, lambda file: file.write(text.encode()))


def page(found: Sequence[Survey], every: float | None = None) -> str:
    """Return the page as HTML; see `write_page`."""
    names = escape(", ".join(one.experiment.name for one in found))
    again = "" if every is None else f'<meta http-equiv="refresh" content="{max(1, math.ceil(every))}">'
    clock = escape(time.strftime("%Y-%m-%d %H:%M:%S"))
    body = "".join(map(_experiment, found))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">{again}'
        f'<meta name="viewport" content="width=device-width"><title>{names}</title><style>{STYLE}</style></head>\n'
        f"<body>{body}<p>As of {clock}.</p></body></html>\n"
    )


def _experiment(found: Survey) -> str:
    shares = "".join(
        f'<span style="width:{100 * number / len(found.runs):.3f}%;background:{COLOURS[state]}" '
        f'title="{number} {state}"></span>'
        for state, number in found.counts.items()
    )
    keys = " ".join(
        f'<span style="white-space:nowrap"><span class="key" style="background:{COLOURS[state]}"></span>'
        f"{number} {state}</span>&ensp;"
        for state, number in found.counts.items()
    )
    parts = [
        f"<h1>{escape(found.experiment.name)}</h1>"
        f'<p class="summary">{escape(summary(found))}<br>{escape(outlook(found))}</p>',
        f'<div class="bar">{shares}</div><p>{keys}</p>',
        f"<h2>Success so far</h2>{_curves(found)}",
        _failures([run for run in found.runs if run.state in TROUBLE]),
        f"<h2>Runs</h2>{_runs(found.runs)}",
    ]
    if found.next_command:
        before = f"<br>{escape(found.before_next_command)}" if found.before_next_command else ""
        parts.insert(2, f"<p>Go on with: <code>{escape(found.next_command)}</code>{before}</p>")
    return f'<section id="{escape(found.experiment.name)}">{"".join(parts)}</section>'


def _failures(runs: Sequence[RunStatus]) -> str:
    if not runs:
        return ""
    items = "".join(
        f'<li class="{run.state}"><b>{run.state}</b> {escape(run.path)}: {escape(run.look.reason)}'
        + (f"<br>log: <code>{escape(run.look.log)}</code>" if run.look.log and run.state is State.FAILED else "")
        for run in runs
    )
    return f"<h2>What does not go on by itself</h2><ul>{items}</ul>"


def _runs(runs: Sequence[RunStatus]) -> str:
    rows = "".join(
        f'<tr data-state="{state}"><td><span class="key" style="background:{COLOURS[run.state]}"></span>{state}'
        f'<td class="path">{escape(path)}<td class="n">{epoch}<td class="n">{success}<td class="n">{escape(left)}'
        for run in runs
        for state, path, epoch, success, left in [cells(run)]
    )
    heading = '<tr><th>state<th>run<th class="n">epoch<th class="n">success<th class="n">left'
    return f"<table>{heading}{rows}</table>"


def _curves(found: Survey) -> str:
    """Draw mean success over epochs: a line for each run, a colour for each setting."""
    curves: list[tuple[str, str, list[tuple[float, float]]]] = []
    names: dict[str, str] = {}
    last = 1.0
    for run in found.runs:
        rows = all_rows(found.directory / "runs" / run.path / table("eval"), 3)
        if rows and run.state is not State.STALE:
            colour = names.setdefault(run.setting.name, LINES[len(names) % len(LINES)])
            points = [(row[0], row[2]) for row in rows[:: max(1, len(rows) // _MOST_POINTS)]]
            if points[-1][0] != rows[-1][0]:
                points.append((rows[-1][0], rows[-1][2]))
            curves.append((run.path, colour, points))
        last = max(last, run.setting.epochs)
    if not curves:
        return "<p>No run has been evaluated yet.</p>"
    lines = "".join(
        f'<polyline fill="none" stroke="{colour}" stroke-width="1.6" stroke-opacity=".75" '
        f'points="{" ".join(f"{_x(epoch, last):.1f},{_y(success):.1f}" for epoch, success in points)}">'
        f"<title>{escape(path)}</title></polyline>"
        for path, colour, points in curves
    )
    legend = "&emsp;".join(
        f'<span style="white-space:nowrap"><span class="key" style="background:{colour}"></span>{escape(name)}</span>'
        for name, colour in names.items()
    )
    picture = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="success over epochs">{_axes(last)}{lines}</svg>'
    )
    return f"{picture}<p>{legend}</p>"


def _axes(last: float) -> str:
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(share)
        parts.append(
            f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#8884"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" font-size="12">{share:g}</text>'
        )
        epoch = round(last * share)
        anchor = "end" if share == 1 else "middle"
        parts.append(
            f'<text x="{_x(epoch, last):.1f}" y="{HEIGHT - 18}" text-anchor="{anchor}" font-size="12">{epoch}</text>'
        )
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 2}" text-anchor="middle" font-size="12">epochs</text>')
    return "".join(parts)


def _x(epoch: float, last: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * epoch / last


def _y(success: float) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * success
