"""How every figure looks, and how it becomes a file: the one place for sizes, fonts, colours and markers.

Colours are ramps of rising lightness (viridis for pruning ratios, plasma for update intervals, black for the dense
control): readable by the colour-blind and in greyscale, where each line has its own marker and dashes as well.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from must.analysis.files import write_atomically
from must.analysis.load import Group
from must.analysis.variants import ratio_of
from must.config import methods

ONE_COLUMN, TWO_COLUMNS = 3.4, 7.0
"""Print widths in inches."""
PAGE = 9.0
"""Height that a page has for a figure, in inches."""

FORMATS = ("pdf", "svg", "png")

SMALL = 6.0
"""Smallest type, in points."""

_TITLE = 7.0
"""Type of titles and labels, in points."""
LINE_HEIGHT = SMALL * 1.2 / 72
"""Height of a line of small type, in inches."""

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": _TITLE,
    "axes.titlesize": _TITLE,
    "axes.labelsize": _TITLE,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.title_fontsize": SMALL,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "legend.columnspacing": 1.2,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.88",
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.5,
    "errorbar.capsize": 1.8,
    "hatch.linewidth": 0.5,
    "figure.constrained_layout.h_pad": 0.04,
    "figure.constrained_layout.w_pad": 0.03,
    "figure.dpi": 300.0,
    "savefig.dpi": 300.0,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "must",
}
"""Matplotlib settings. The font is the one that comes with Matplotlib, so that no machine replaces it."""

_UNDATED: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "ModDate": None},
    "svg": {"Date": None},
    "png": {"Software": None},
}
"""What would differ between two builds of the same figure."""


@dataclass(frozen=True)
class Look:
    """How a group is drawn, as a line or as a bar."""

    color: Any
    marker: str
    dashes: Any

    def line(self) -> dict[str, Any]:
        """Keywords for a line with markers."""
        return {"color": self.color, "marker": self.marker, "linestyle": self.dashes, "markeredgecolor": "white"} | {
            "markeredgewidth": 0.4
        }


DENSE = Look("0.1", "D", (0, (1, 1)))
"""The control, in every figure."""
UNCHANGED = Look("0.35", "h", "solid")
"""Masks that are never updated, beside those of an update interval."""
DENSE_LABEL = "dense"
"""Its name in legends of pruning ratios."""
CONTROL = Look("0.62", "", "solid")
"""The control, where it stands behind each of several methods."""
CONTROL_LABEL = methods.METHODS[methods.CONTROL].label
"""Its name among methods."""
MASKED = Look("#31688e", "o", "solid")
"""A setting with masks, where only that matters."""
UNMASKED = Look("0.1", "o", "solid")
"""A method without masks."""

_HANDLE = 4.6
"""Width of a legend's handle and the gaps beside it, in units of the type."""
_MARKERS = "os^vPX*<>"
_DASHES = ("solid", (0, (5, 1.2)), (0, (3, 1, 1, 1)), (0, (2, 1)), (0, (5, 1, 1, 1, 1, 1)))


def ratio_looks(ratios: Sequence[float]) -> dict[float, Look]:
    """Return the look of each pruning ratio."""
    return dict(zip(ratios, _ramp("viridis", 0.25, 0.9, len(ratios)), strict=True))


def interval_looks(intervals: Sequence[int]) -> dict[int, Look]:
    """Return the look of each update interval."""
    return dict(zip(intervals, _ramp("plasma", 0.05, 0.78, len(intervals)), strict=True))


def variant_looks(count: int) -> list[Look]:
    """Return the look of each of several variants."""
    return _ramp("cividis", 0.0, 0.8, count)


def look_of(group: Group, looks: Mapping[float, Look]) -> Look:
    """Return a group's look among pruning ratios."""
    return DENSE if group.dense else looks[ratio_of(group)]


def _ramp(colormap: str, low: float, high: float, count: int) -> list[Look]:
    colors = mpl.colormaps[colormap](np.linspace(low, high, max(count, 3))[:count])
    return [
        Look(tuple(color), _MARKERS[i % len(_MARKERS)], _DASHES[i % len(_DASHES)]) for i, color in enumerate(colors)
    ]


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


def legend_below(figure: Figure, handles: Mapping[str, Any], setting: str, note: str) -> None:
    """Put one legend below all panels, the control first, in as many columns as fit.

    Args:
        figure: The figure.
        handles: Value of the setting -> what stands for it.
        setting: The setting that tells the groups apart; heads the legend.
        note: What the spread is; stands behind the setting.
    """
    labels = sorted(handles, key=_legend_order)
    column = max(map(text_width, labels)) + SMALL * _HANDLE / 72
    fitting = int(max(1, (figure.get_figwidth() - 0.2) // column))
    rows = -(-len(labels) // fitting)
    legend = figure.legend(
        [handles[label] for label in labels],
        labels,
        loc="outside lower center",
        ncols=-(-len(labels) // rows),
        title=textwrap.fill(f"{setting} ({note})", int((figure.get_figwidth() - 0.1) / text_width("x"))),
    )
    legend.get_title().set_color("0.3")


def _legend_order(label: str) -> tuple[bool, float]:
    """Sort the control first, then numbers by their value; words stay as they are."""
    other = label not in (DENSE_LABEL, CONTROL_LABEL)
    try:
        return other, float(label)
    except ValueError:
        return other, 0.0


def titles_height(titles: Sequence[str]) -> float:
    """Return the height in inches that the titles of a row of panels need."""
    lines = 1 + max(title.count("\n") for title in titles)
    return lines * LINE_HEIGHT * _TITLE / SMALL


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
