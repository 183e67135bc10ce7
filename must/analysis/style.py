"""How every figure looks, and how it becomes a file; fonts, lines and paddings are in ``must.mplstyle``.

Colours are ramps of rising lightness (viridis for pruning ratios, plasma for update intervals, black for the dense
control): readable by the colour-blind and in greyscale, where each line has its own marker and dashes as well.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from must.data.files import write_atomically
from must.data.names import CONTROL_LABEL

STYLE = mpl.rc_params_from_file(Path(__file__).with_name("must.mplstyle"), use_default_template=False)
"""The style sheet."""
ONE_COLUMN, TWO_COLUMNS, PAGE = 3.4, 7.0, 9.0
"""Print widths, and the height that a page has for a figure, in inches."""
Width = Literal["auto", "column", "page"]
"""Of a figure: one column of a paper, both, or whichever suits it."""
FORMATS = ("pdf", "svg", "png")
SMALL, _TITLE = float(STYLE["legend.fontsize"]), float(STYLE["axes.titlesize"])
LINE_HEIGHT = SMALL * 1.2 / 72
"""Height of a line of small type, in inches."""
_LEGEND = 0.45
"""Inches for the legend."""
_UNDATED: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "ModDate": None},
    "svg": {"Date": None},
    "png": {"Software": None},
}
"""What would differ between two builds of the same figure."""


class Look(NamedTuple):
    """How a setting is drawn, as a line, a bar or a point."""

    color: Any
    marker: str
    dashes: Any
    """As seaborn has it: lengths of dashes and gaps; empty for a solid line, None for none."""


DENSE, UNCHANGED = Look("0.1", "D", (1, 1)), Look("0.35", "h", "")
"""The control in every figure, and masks that are never updated beside those of an update interval."""
BEHIND, MASKED, UNMASKED = Look("0.62", ".", ""), Look("#31688e", "o", ""), Look("0.1", "s", "")
"""The control behind each of several methods; settings with and without masks, where only that matters."""
_MARKERS, _DASHES = "os^vPX*<>", ("", (5, 1.2), (3, 1, 1, 1), (2, 1), (5, 1, 1, 1, 1, 1))


def ramp(labels: Iterable[str], colormap: str = "viridis", low: float = 0.25, high: float = 0.9) -> dict[str, Look]:
    """Return a look for each label, by rising lightness."""
    names = list(labels)
    colors = mpl.colormaps[colormap](np.linspace(low, high, max(len(names), 3)))
    return {
        name: Look(tuple(colors[i]), _MARKERS[i % len(_MARKERS)], _DASHES[i % len(_DASHES)])
        for i, name in enumerate(names)
    }


def text_width(text: str) -> float:
    """Estimate the width of small type in inches, rather too wide than too narrow."""
    return len(text) * SMALL * 0.58 / 72


def wrap_title(parts: Sequence[str], width: float) -> str:
    """Write the parts of a panel's title in lines of a width in inches, none of them broken."""
    lines: list[str] = []
    for part in parts:
        if lines and text_width(f"{lines[-1]}, {part}") * _TITLE / SMALL < width:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return "\n".join(lines)


def columns_for(count: int, width: Width, most: int = 3) -> int:
    """Return in how many columns panels of equal standing are set, at most so many on a page."""
    if width == "column":
        return 1 if count <= 3 else 2
    return 2 if count == 4 and most < 4 else min(count, most)


def inches(columns: int, width: Width) -> float:
    """Return the width of a figure with so many columns of panels."""
    return ONE_COLUMN if width == "column" or (width == "auto" and columns == 1) else TWO_COLUMNS


def panels(
    titles: Sequence[Sequence[str]], columns: int, heights: float | Sequence[float], width: Width, **subplots: Any
) -> tuple[Figure, list[Axes]]:
    """Return a figure and a panel for each title, row by row, no higher than a page.

    Args:
        titles: The parts of each panel's title.
        columns: Panels in a row.
        heights: Of each row, or of all, in inches, with the axes' labels and without the titles.
        width: Of the figure.
        subplots: Keywords of ``Figure.subplots``.
    """
    rows, total = -(-len(titles) // columns), inches(columns, width)
    wrapped = [wrap_title(title, total / columns - 0.3) for title in titles]
    lines = max((title.count("\n") + 1 for title in wrapped if title), default=0)
    above = (lines or 1) * _TITLE * 1.2 / 72 + 0.1
    room = PAGE - _LEGEND - rows * above
    each = [heights] * rows if isinstance(heights, float) else list(heights)
    each = [height * min(1, room / sum(each)) for height in each]
    figure = Figure(figsize=(total, sum(each) + rows * above + _LEGEND), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, height_ratios=each, **subplots)
    for axes, title in zip(grid.flat, wrapped, strict=False):
        axes.set_title(title)
    for axes in grid.flat[len(titles) :]:
        axes.set_visible(False)
    return figure, list(grid.flat[: len(titles)])


def legend_below(figure: Figure, looks: Mapping[str, Look], heading: str, notes: Sequence[str], kind: str = "") -> None:
    """Put one legend below all panels, the control first, then by value, in as many columns as fit.

    Args:
        figure: The figure.
        looks: What is drawn: label -> look.
        heading: The setting that tells the labels apart.
        notes: What the spread is, and more to say; stand behind the heading.
        kind: ``bars`` or ``points``; lines with markers otherwise.
    """
    labels = sorted(looks, key=_legend_order)
    handles = [_handle(looks[label], kind) for label in labels]
    fitting = int(max(1, (figure.get_figwidth() - 0.2) // (max(map(text_width, labels)) + SMALL * 4.6 / 72)))
    rows = -(-len(labels) // fitting)
    title = wrap_text(f"{heading} ({'; '.join(notes)})", figure)
    columns = -(-len(labels) // rows)
    legend = figure.legend(handles, labels, loc="outside lower center", ncols=columns, title=title)
    legend.get_title().set_color("0.3")


def wrap_text(text: str, figure: Figure) -> str:
    """Write a small text in lines of the width of a figure."""
    return textwrap.fill(text, int((figure.get_figwidth() - 0.1) / text_width("x")))


def _handle(look: Look, kind: str) -> Any:
    if kind == "bars":
        return Patch(facecolor=look.color, edgecolor="white", linewidth=0.2)
    line: Any = "none" if kind == "points" or look.dashes is None else (0, look.dashes) if look.dashes else "solid"
    return Line2D([], [], color=look.color, marker=look.marker, linestyle=line, mec="white", mew=0.4)


def _legend_order(label: str) -> tuple[bool, float]:
    """Sort the control first, then numbers by their value; words stay as they are."""
    other = label not in ("dense", CONTROL_LABEL)
    try:
        return other, float(label)
    except ValueError:
        return other, 0.0


def lay_out(figure: Figure) -> None:
    """Find the places of all parts, and keep them: every format then has the same layout."""
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def save(figure: Figure, directory: Path, name: str) -> list[Path]:
    """Write a figure as PDF (Type 42 fonts), SVG and PNG; the same figure gives the same bytes."""
    lay_out(figure)
    paths = []
    for extension in FORMATS:
        buffer = io.BytesIO()
        figure.savefig(buffer, format=extension, metadata=_UNDATED[extension])
        paths.append(write_atomically(directory / f"{name}.{extension}", buffer.getvalue()))
    return paths
