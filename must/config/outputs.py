"""Which tables and figures an experiment has, from its configuration alone: the workflow declares them as outputs."""

from __future__ import annotations

from must.config.experiment import Experiment
from must.config.load import parse_experiment
from must.config.schema import RunConfig

DATA = ("runs", "evaluations", "masks", "training")
"""The tidy data of every experiment; each is written as ``.csv``."""
TABLES = ("success_rate", "per_task", "aggregates", "cost")
"""The tables that every experiment has."""
TABLES_OF_METHODS = ("comparison",)
"""Those of an experiment that trains several methods."""
TABLES_OF_MASKS = ("masks",)
"""Those of an experiment in which several tasks have masks of their own."""
FIGURES = (
    "learning_curves",
    "learning_curves_by_time",
    "learning_curves_by_cpu_time",
    "success_by_pruning_ratio",
    "success_by_update_interval",
    "success_by_flops",
    "success_per_task",
    "learning_curves_per_task",
    "performance_profiles",
    "improvement_over_dense",
    "mask_overlap",
    "mask_overlap_over_training",
    "mask_churn",
    "training_speed",
)
"""All figures but those that only compare methods."""
FIGURES_OF_METHODS = (
    "method_comparison",
    "learning_curves",
    "success_per_task",
    "performance_profiles",
    "training_speed",
)
"""The figures that compare methods: those that exist only then, and those that are drawn in another way."""
OPTIONAL_FIGURES = ("learning_curves_by_cpu_time",)
"""Those that exist where the runs' logs hold what they show, which the configuration does not say."""
COMPARED = ("pruning_ratio", "update_interval")
"""Axes that the groups of one block of a table, or one panel of a figure, differ in."""

_Others = frozenset[tuple[str, str]]
"""The settings of a run that are not compared within a block of groups."""


def compares_methods(experiment: Experiment) -> bool:
    """Return whether an experiment trains several methods, or named variants: tables and figures then compare them."""
    return len(experiment.methods) > 1 or len(experiment.sweep.variants or ()) > 1


def shares_by_masks(experiment: Experiment) -> bool:
    """Return whether several tasks have masks of their own, so that they have more or less of the network in common."""
    return len(experiment.env.task_names) > 1 and any(config.has_task_masks for _, config in _planned(experiment))


def table_names(experiment: Experiment) -> list[str]:
    """Return the tables of an experiment; each is written as ``.csv``, ``.md`` and ``.tex``."""
    methods = TABLES_OF_METHODS if compares_methods(experiment) else ()
    return [*methods, *TABLES, *(TABLES_OF_MASKS if shares_by_masks(experiment) else ())]


def all_figures(experiment: Experiment) -> list[str]:
    """Return the figures that an experiment of its kind can have, in their order."""
    if not compares_methods(experiment):
        return list(FIGURES)
    return [*FIGURES_OF_METHODS, *(name for name in FIGURES if name not in FIGURES_OF_METHODS)]


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
        "mask_overlap": tasks > 1 and any(config.has_task_masks for _, config in planned),
        "mask_overlap_over_training": learned and tasks > 1,
        "mask_churn": any(not config.never_renews for _, config in learned),
    }
    present |= dict.fromkeys(OPTIONAL_FIGURES, False)
    return [name for name in all_figures(experiment) if present.get(name, True)]


def _planned(experiment: Experiment) -> list[tuple[_Others, RunConfig]]:
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


def _swept(planned: list[tuple[_Others, RunConfig]], key: str) -> bool:
    """Return whether runs that differ in nothing else that is compared differ in a setting of the masks."""
    values: dict[_Others, set[float]] = {}
    for others, config in planned:
        values.setdefault(others, set()).add(getattr(config.masks, key))
    return any(len(each) > 1 for each in values.values())
