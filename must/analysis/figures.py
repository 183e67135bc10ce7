"""The figures of an experiment, from drawing to files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from must.analysis.curves import (
    learning_curves,
    learning_curves_by_cpu_time,
    learning_curves_by_time,
    learning_curves_per_task,
    mask_churn,
    performance_profiles,
)
from must.analysis.efficiency import success_by_flops, training_speed
from must.analysis.overlap import mask_overlap, mask_overlap_over_training
from must.analysis.rows import improvement_over_dense, method_comparison, method_speed, method_success_per_task
from must.analysis.settings import success_by_pruning_ratio, success_by_update_interval, success_per_task
from must.analysis.style import FORMATS, STYLE, Width, save
from must.config import Experiment
from must.config.outputs import OPTIONAL_FIGURES, all_figures, compares_methods, figure_names
from must.data import Results, load_results
from must.errors import ConfigError
from must.sections import suggest

_LOG = logging.getLogger(__name__)

Draw = Callable[[Results, Width], Figure | None]
"""Draws a figure from the results, or gives None when they hold no data for it."""

ALWAYS, ONE_METHOD, METHODS = "always", "one method", "methods"
FIGURES: list[tuple[str, str, Draw]] = [
    ("method_comparison", METHODS, method_comparison),
    ("learning_curves", ALWAYS, learning_curves),
    ("learning_curves_by_time", ALWAYS, learning_curves_by_time),
    ("learning_curves_by_cpu_time", ALWAYS, learning_curves_by_cpu_time),
    ("success_by_pruning_ratio", ALWAYS, success_by_pruning_ratio),
    ("success_by_update_interval", ALWAYS, success_by_update_interval),
    ("success_by_flops", ALWAYS, success_by_flops),
    ("success_per_task", ONE_METHOD, success_per_task),
    ("success_per_task", METHODS, method_success_per_task),
    ("learning_curves_per_task", ALWAYS, learning_curves_per_task),
    ("performance_profiles", ALWAYS, performance_profiles),
    ("improvement_over_dense", ALWAYS, improvement_over_dense),
    ("mask_overlap", ALWAYS, mask_overlap),
    ("mask_overlap_over_training", ALWAYS, mask_overlap_over_training),
    ("mask_churn", ALWAYS, mask_churn),
    ("training_speed", ONE_METHOD, training_speed),
    ("training_speed", METHODS, method_speed),
]
"""Name, what experiments it applies to (which of them have it, `must.config.outputs` says), what draws it."""


def drawings(experiment: Experiment) -> dict[str, Draw]:
    """Return name -> what draws a figure that an experiment of this kind can have."""
    kinds = (ALWAYS, METHODS if compares_methods(experiment) else ONE_METHOD)
    known = {name: draw for name, applies_to, draw in FIGURES if applies_to in kinds}
    return {name: known[name] for name in all_figures(experiment)}


def write_figures(experiment: Experiment, results: Path, width: Width = "auto", only: Sequence[str] = ()) -> list[Path]:
    """Write ``results/<name>/figures/*.{pdf,svg,png}`` from the runs that are there.

    Args:
        experiment: The experiment, as it stands now.
        results: Directory that holds ``<name>/runs/...``.
        width: Whether figures take one column of a paper, both, or whichever suits each of them.
        only: The figures to draw, if not all of them.

    Returns:
        The files written. A figure that the runs have no data for is left out, with a line in the log.

    Raises:
        ConfigError: An experiment of this kind has no such figure.
        ResultsError: No run is finished, or a finished one is damaged.
    """
    known = drawings(experiment)
    for name in only:
        if name not in known:
            hint = suggest(name, known) or f"; there are: {', '.join(known)}"
            raise ConfigError(f"--only {name}: is no figure of this experiment{hint}")
    wanted = {name: draw for name, draw in known.items() if not only or name in only}
    loaded = load_results(experiment, results)
    directory = loaded.directory / "figures"
    expected, paths = figure_names(experiment), list[Path]()
    with mpl.rc_context(STYLE):
        for name, draw in wanted.items():
            figure = draw(loaded, width) if name in (*expected, *OPTIONAL_FIGURES) else None
            if figure is not None:
                paths += save(figure, directory, name)
            elif name not in OPTIONAL_FIGURES and (name in expected or not compares_methods(experiment)):
                _LOG.warning("No figure %s: no finished run holds data for it.", name)
    written = {path.stem for path in paths}
    for name in {name for name, _, _ in FIGURES} - written if not only else ():
        for extension in FORMATS:
            (directory / f"{name}.{extension}").unlink(missing_ok=True)
    return paths
