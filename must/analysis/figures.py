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
from must.analysis.plots.overlap import mask_overlap, mask_overlap_over_training
from must.analysis.plots.speed import training_speed
from must.analysis.plots.sweeps import success_by_pruning_ratio, success_by_update_interval
from must.analysis.plots.tasks import learning_curves_per_task
from must.analysis.style import FORMATS, STYLE, save
from must.config import Experiment

_LOG = logging.getLogger(__name__)

FIGURES: dict[str, Callable[[Results], Figure | None]] = {
    "learning_curves": learning_curves,
    "success_by_pruning_ratio": success_by_pruning_ratio,
    "success_by_update_interval": success_by_update_interval,
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


def figure_names(experiment: Experiment) -> list[str]:
    """Give the figures that an experiment has when all of its runs are finished.

    A sweep without pruning has no update intervals and no masks; a single task has none to share masks with.
    """
    ratios, tasks = experiment.sweep.pruning_ratios, len(experiment.env.task_names)
    sparse, dense = any(ratio > 0 for ratio in ratios), 0 in ratios
    updated = sparse and min(experiment.sweep.update_intervals) <= experiment.training.epochs
    present = {
        "success_by_update_interval": sparse,
        "improvement_over_dense": sparse and dense,
        "mask_overlap": sparse and tasks > 1,
        "mask_overlap_over_training": sparse and tasks > 1,
        "mask_churn": updated,
    }
    return [name for name in FIGURES if present.get(name, True)]


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
    paths: list[Path] = []
    with mpl.rc_context(STYLE):
        for name, draw in FIGURES.items():
            figure = draw(loaded)
            if figure is not None:
                paths += save(figure, directory, name)
                continue
            _LOG.warning("No figure %s: no finished run holds data for it.", name)
            for extension in FORMATS:
                (directory / f"{name}.{extension}").unlink(missing_ok=True)
    return paths
