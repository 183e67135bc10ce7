"""The one table of sweep axes: what each is called in paths, in configurations, and in tables and figures."""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

from must.config.methods import KINDS, METHODS, SWEPT
from must.config.schema import RunConfig
from must.sections import Section

METHOD_SECTIONS = frozenset(section for spec in METHODS.values() for part in spec.parts for section in part.reads)
"""Sections that only some methods read."""


class Axis(NamedTuple):
    """One axis of a sweep."""

    name: str
    """In paths and in `RunSpec`: a word of letters, digits and underscores."""
    config_path: str
    """Dotted key that it sets; empty for the variants, which set several."""
    heading: str
    """Of its column in a table."""
    sweep_key: str = ""
    """Key of `sweep` that lists its values; empty for an axis of `sweep.grid`."""
    short_heading: str = ""
    """Where room is scarce; the heading if empty."""
    values: Literal["named", "bare", "flag"] = "named"
    """How a value is written: after the axis's name, alone where it speaks for itself, or as on and off."""
    needs_masks: bool = False
    """Whether a dense run does not read it."""

    @property
    def of_a_method(self) -> bool:
        """Whether only some methods read it."""
        return self.config_path.partition(".")[0] in METHOD_SECTIONS and self.config_path not in KINDS

    @property
    def place(self) -> str:
        """Where its values are listed, such as ``sweep.seeds`` or ``sweep.grid.sac.lr``."""
        return f"sweep.{self.sweep_key}" if self.sweep_key else f"sweep.grid.{self.config_path}"


AXES = (
    Axis("benchmark", "env.benchmark", "Benchmark", "benchmarks", values="bare"),
    Axis("variant", "", "Variant", "variants", values="bare"),
    Axis("method", "method", "Method", "methods", values="bare"),
    *(
        Axis(
            own.name,
            own.key,
            own.heading,
            own.sweep_key,
            values="named" if own.needs_masks else "bare",
            needs_masks=own.needs_masks,
        )
        for own in SWEPT
    ),
    Axis("granularity", "masks.granularity", "Granularity", "granularities", values="bare", needs_masks=True),
    Axis("pruning_ratio", "masks.pruning_ratio", "Pruning ratio", "pruning_ratios", "ratio"),
    Axis(
        "update_interval", "masks.update_interval", "Update interval", "update_intervals", "interval", needs_masks=True
    ),
    Axis("generator_lr", "generator.lr", "Generator lr", "generator_lrs", needs_masks=True),
    Axis("use_sl_loss", "generator.use_sl_loss", "Supervised loss", "use_sl_loss", values="flag", needs_masks=True),
    Axis(
        "use_trajectory_info",
        "generator.use_trajectory_info",
        "Trajectory info",
        "use_trajectory_info",
        values="flag",
        needs_masks=True,
    ),
    Axis("seed", "training.seed", "Seed", "seeds"),
)
"""The axes with lists of their own, in the order of a run's path below ``results/<name>/runs/``. Those of `sweep.grid`
come before the seed."""
ALWAYS_SWEPT = ("seeds", "pruning_ratios", "update_intervals")
"""Lists that every sweep has; when left out, they have the single value of the setting."""
_HEADINGS = {
    "sac.lr": "Learning rate",
    "sac.gamma": "Discount",
    "sac.tau": "Target rate",
    "sac.batch_size_per_task": "Rows per task",
    "network.hidden_sizes": "Hidden sizes",
    "network.layer_norm": "Layer norm",
    "training.opt_times": "Gradient steps",
    "env.tasks": "Tasks",
    "env.n_tasks": "Number of tasks",
    "env.reward": "Reward",
    "env.goals": "Goals",
    "env.horizon": "Horizon",
    "network.architecture": "Architecture",
    "sac.task_weighting": "Task weighting",
    "sac.gradient_rule": "Gradient rule",
    "masks.source": "Masks",
}
"""Headings of keys that are often swept; that of another one is the key itself."""


def grid_axis(key: str) -> Axis:
    """Return the axis of a key of `sweep.grid`, such as ``sac.lr``; it need not exist."""
    masked = key.startswith(("masks.", "generator.")) and key not in KINDS
    return Axis(
        key.replace(".", "_"),
        key,
        _HEADINGS.get(key, key),
        needs_masks=masked,
    )


def own_axis(key: str) -> Axis | None:
    """Return the axis that has a list of its own for a key."""
    return next((axis for axis in AXES if axis.config_path == key), None)


@cache
def axis_named(name: str) -> Axis:
    """Return an axis by its name in a path."""
    for axis in AXES:
        if axis.name == name:
            return axis
    return next(axis for key in run_keys() if (axis := grid_axis(key)).name == name)


def run_keys() -> list[str]:
    """Return the dotted keys of everything that a run's configuration holds."""
    keys = []
    for name, field in RunConfig.model_fields.items():
        kind = field.annotation
        section = isinstance(kind, type) and issubclass(kind, Section)
        keys += [f"{name}.{key}" for key in kind.model_fields] if section and kind else [name]
    return keys
