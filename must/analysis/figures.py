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
from must.analysis.variants import compares_methods
from must.config import Experiment
from must.config.methods import METHODS

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


def figure_names(experiment: Experiment) -> list[str]:
    """Give the figures that an experiment has when all of its runs are finished.

    A sweep without pruning has no update intervals and no masks; a single task has none to share masks with. Several
    methods are compared as a whole, and task by task at the end only.
    """
    sweep, tasks = experiment.sweep, len(experiment.env.task_names)
    specs = {name: METHODS[name] for name in experiment.methods}
    pruned = [ratio for ratio in sweep.pruning_ratios if ratio > 0]
    several, dense = compares_methods(experiment), 0 in sweep.pruning_ratios
    masking = any(spec.reads_key("masks.pruning_ratio") for spec in specs.values())
    masked = masking and bool(pruned)
    learned = masked and any(spec.reads_key("generator.lr") for spec in specs.values())
    of_tasks = masked and tasks > 1 and any(spec.task_masks for spec in specs.values())
    present = {
        "method_comparison": several,
        "success_by_pruning_ratio": len(pruned) > 1 and masking if several else masking,
        "success_by_update_interval": learned and (not several or len(sweep.update_intervals) > 1),
        "success_by_flops": several or len(sweep.pruning_ratios) > 1,
        "learning_curves_per_task": not several,
        "improvement_over_dense": not several and masked and dense,
        "mask_overlap": of_tasks,
        "mask_overlap_over_training": learned and tasks > 1,
        "mask_churn": learned and min(sweep.update_intervals) <= experiment.training.epochs,
    }
    return [name for name in drawings(experiment) if present.get(name, True)]


def drawings(experiment: Experiment) -> dict[str, Callable[[Results], Figure | None]]:
    """Give name -> what draws a figure of the experiment, or gives None when the results hold no data for it."""
    if not compares_methods(experiment):
        return FIGURES
    return OF_METHODS | {name: draw for name, draw in FIGURES.items() if name not in OF_METHODS}


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
