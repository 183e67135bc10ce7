"""Figures as the tests look at them: laid out, with the boxes that their texts take."""

import matplotlib as mpl
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from must.analysis import load_results
from must.analysis.figures import drawings
from must.analysis.style import STYLE, lay_out
from must.config.outputs import figure_names


def draw(runs, experiment, *names, width="auto"):
    """Return figures of an experiment (all, if none is named), laid out but not written."""
    loaded = load_results(experiment, runs.results)
    with mpl.rc_context(STYLE):
        drawn = {name: drawings(experiment)[name](loaded, width) for name in names or figure_names(experiment)}
        figures = {name: figure for name, figure in drawn.items() if figure is not None}
        for figure in figures.values():
            lay_out(figure)
    return figures


def curves_of(axes):
    """Return the lines of means: those with markers."""
    return [line for line in axes.lines if line.get_marker() not in ("", "None", None)]


def texts_of(figure):
    """Return the texts that are seen, and the boxes they take in pixels."""
    renderer = figure.canvas.get_renderer()
    hidden = {
        id(text) for axes in figure.findobj(mpl.axes.Axes) if not axes.get_visible() for text in axes.findobj(Text)
    }
    for axes in figure.findobj(mpl.axes.Axes):
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks() + axis.get_minor_ticks():
                if not axes.axison or not low <= tick.get_loc() <= high:
                    hidden |= {id(text) for text in tick.findobj(Text)}
    seen = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible() and id(text) not in hidden]
    return {text: text.get_window_extent(renderer) for text in seen}


def overlap(one, other):
    """Say whether two boxes overlap by more than a pixel or two of padding."""
    shared = Bbox.intersection(one, other)
    return shared is not None and shared.width > 2 and shared.height > 2


def check_nothing_is_cut(figure):
    """Check that every text lies inside its figure."""
    for text, box in texts_of(figure).items():
        inside = Bbox.intersection(box, figure.bbox)
        assert inside is not None, text.get_text()
        assert inside.width > box.width - 2, text.get_text()
        assert inside.height > box.height - 2, text.get_text()
