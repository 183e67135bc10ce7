"""The figures of an experiment, from drawing to files."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from must.analysis.load import Results, load_results
from must.analysis.plots.bars import success_per_task
from must.analysis.plots.changes import mask_churn
from must.analysis.plots.comparisons import improvement_over_dense, performance_profiles
from must.analysis.plots.curves import learning_curves
from must.analysis.plots.efficiency import success_by_flops
from must.analysis.plots.method_panels import method_learning_curves, method_profiles
from must.analysis.plots.method_rows import method_comparison, method_speed, method_success_per_task
from must.analysis.plots.overlap import mask_overlap, mask_overlap_over_training
from must.analysis.plots.speed import training_speed
from must.analysis.plots.sweeps import success_by_pruning_ratio, success_by_update_interval
from must.analysis.plots.tasks import learning_curves_per_task
from must.analysis.style import FORMATS, STYLE, save
from must.config import Experiment
from must.config.outputs import all_figures, compares_methods, figure_names

_LOG = logging.getLogger(__name__)

FIGURES: dict[str, Callable[[Results], Figure | None]] = {
    "learning_curves": learning_curves,
    "success_by_pruning_ratio": success_by_pruning_ratio,
    "success_by_update_interval": success_by_update_interval,
    "success_by_flops": success_by_flops,
    "success_per_task": success_per_task,
    "learning_curves_per_task": learning_curves_per_task,
    "performance_profiles": performance_profiles,
    "improvement_over_dense": improvement_over_dense,
    "mask_overlap": mask_overlap,
    "mask_overlap_over_training": mask_overlap_over_training,
    "mask_churn": mask_churn,
    "training_speed": training_speed,
}
"""Name -> what draws the figure from the results, or gives None when they hold no data for it."""


OF_METHODS: dict[str, Callable[[Results], Figure | None]] = {
    "method_comparison": method_comparison,
    "learning_curves": method_learning_curves,
    "success_per_task": method_success_per_task,
    "performance_profiles": method_profiles,
    "training_speed": method_speed,
}
"""What draws the figures that compare methods: those that only then exist, and those that then look otherwise."""


def drawings(experiment: Experiment) -> dict[str, Callable[[Results], Figure | None]]:
    """Return name -> what draws a figure of the experiment, or gives None when the results hold no data for it."""
    known = FIGURES | OF_METHODS if compares_methods(experiment) else FIGURES
    return {name: known[name] for name in all_figures(experiment)}


def write_figures(experiment: Experiment, results: Path) -> list[Path]:
    """Write ``results/<name>/figures/*.{pdf,svg,png}`` from the runs that are there.

    Args:
        experiment: The experiment, as it stands now.
        results: Directory that holds ``<name>/runs/...``.

    Returns:
        The files written. A figure that the runs have no data for is left out, with a line in the log.

    Raises:
        ResultsError: No run is finished, or a finished one is damaged.
    """
    loaded = load_results(experiment, results)
    directory = loaded.directory / "figures"
    expected, paths = figure_names(experiment), list[Path]()
    with mpl.rc_context(STYLE):
        for name, draw in drawings(experiment).items():
            figure = draw(loaded) if name in expected else None
            if figure is not None:
                paths += save(figure, directory, name)
            elif name in expected or not compares_methods(experiment):
                _LOG.warning("No figure %s: no finished run holds data for it.", name)
    written = {path.stem for path in paths}
    for name in {*FIGURES, *OF_METHODS} - written:
        for extension in FORMATS:
            (directory / f"{name}.{extension}").unlink(missing_ok=True)
    return paths
