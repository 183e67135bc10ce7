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
from must.analysis.variants import COMPARED, compares_methods
from must.config import Experiment, RunConfig, parse_experiment
from must.config.schedule import first_renewal

_LOG = logging.getLogger(__name__)

Others = frozenset[tuple[str, str]]
"""The settings of a run that are not compared within a block of groups."""

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
    """Return the figures that an experiment has when all of its runs are finished.

    A sweep without pruning has no update intervals and no masks; a single task has none to share masks with. Several
    methods are compared as a whole, and task by task at the end only.
    """
    planned, tasks = _planned(experiment), len(experiment.env.task_names)
    several, masking = compares_methods(experiment), any(_prunes(config) for _, config in planned)
    masked = [(others, config) for others, config in planned if not config.dense]
    learned = [(others, config) for others, config in masked if config.learns_masks]
    present = {
        "method_comparison": several,
        "success_by_pruning_ratio": _swept(masked, "pruning_ratio") if several else masking,
        "success_by_update_interval": learned and (not several or _swept(learned, "update_interval")),
        "success_by_flops": several or len(experiment.sweep.pruning_ratios) > 1,
        "learning_curves_per_task": not several,
        "improvement_over_dense": not several and masked and any(config.is_multi_task_sac for _, config in planned),
        "mask_overlap": tasks > 1 and any(config.spec.task_masks for _, config in masked),
        "mask_overlap_over_training": learned and tasks > 1,
        "mask_churn": any(
            first_renewal(config.training.epochs, config.masks.update_interval, config.masks.freeze_after)
            for _, config in learned
        ),
    }
    return [name for name in drawings(experiment) if present.get(name, True)]


def _planned(experiment: Experiment) -> list[tuple[Others, RunConfig]]:
    """Return the settings of each run of the first seed, with those that set its block of groups apart."""
    data, seed = experiment.model_dump(mode="json"), str(experiment.sweep.seeds[0])
    return [
        (
            frozenset(item for item in experiment.settings(spec).items() if item[0] not in COMPARED),
            parse_experiment(data, experiment.overrides(spec)).run_config(),
        )
        for spec in experiment.runs()
        if spec.has("seed", seed)
    ]


def _prunes(config: RunConfig) -> bool:
    return config.spec.reads_key("masks.pruning_ratio")


def _swept(planned: list[tuple[Others, RunConfig]], key: str) -> bool:
    """Return whether runs that differ in nothing else that is compared differ in a setting of the masks."""
    values: dict[Others, set[float]] = {}
    for others, config in planned:
        values.setdefault(others, set()).add(getattr(config.masks, key))
    return any(len(seen) > 1 for seen in values.values())


def drawings(experiment: Experiment) -> dict[str, Callable[[Results], Figure | None]]:
    """Return name -> what draws a figure of the experiment, or gives None when the results hold no data for it."""
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
