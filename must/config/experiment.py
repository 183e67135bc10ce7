"""An experiment: the settings its runs share, the sweep over the others, and what becomes of the results."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from must.config.schema import Count, Flag, Fraction, Positive, Real, RunConfig, Section, Whole

NOT_APPLICABLE = "na"
"""Stands in a path or a table for a mask setting of a dense run, which has no masks."""


class SweepConfig(Section):
    """Lists of values; the experiment trains every combination.

    A dense run (pruning ratio 0) is trained once per seed (and benchmark), because the settings of masks and generators
    do not reach it.
    """

    seeds: list[Whole] = Field(default=[0], min_length=1)
    """Seeds; the tables give mean and spread over them."""
    pruning_ratios: list[Fraction] = Field(default=[0.5], min_length=1)
    """Pruning ratios; 0 is the control, dense multi-task SAC."""
    update_intervals: list[Count] = Field(default=[50], min_length=1)
    """Training epochs between two renewals of the masks."""
    generator_lrs: list[Positive] | None = Field(default=None, min_length=1)
    """Learning rates of the generators; when left out, `generator.lr`."""
    use_sl_loss: list[Flag] | None = Field(default=None, min_length=1)
    """Values of `generator.use_sl_loss`, such as `[0, 1]`."""
    use_trajectory_info: list[Flag] | None = Field(default=None, min_length=1)
    """Values of `generator.use_trajectory_info`, such as `[0, 1]`."""
    granularities: list[Literal["weight", "neuron"]] | None = Field(default=None, min_length=1)
    """Values of `masks.granularity`. Keys that only one of them reads are left out of the other's runs."""
    benchmarks: list[Literal["MT10", "MT25", "MT50"]] | None = Field(default=None, min_length=1)
    """Values of `env.benchmark`."""

    @field_validator("*")
    @classmethod
    def _check_unique(cls, values: Any) -> Any:
        if values is not None and len(set(values)) != len(values):
            raise ValueError(f"{values} names a value twice: list each value once")
        return values


class ReportConfig(Section):
    """How runs become numbers."""

    final_evaluations: Count = 1
    """The final success rate of a run is the mean of its last n evaluations."""
    success_rate: Annotated[Real, Field(gt=0, le=1)] = 0.8
    """Mean success over the tasks up to which environment steps are counted."""


class ResourcesConfig(Section):
    """What one training run asks of a cluster (CPU threads follow from `training`)."""

    mem_mb: Count = 4000
    """Memory in MB."""
    minutes: Count = 240
    """Wall-clock limit in minutes; a resubmitted job asks for as much again."""
    max_minutes: Count | None = None
    """The longest limit that the cluster's partition grants; runs that need more continue in the next job."""
    gpus: Whole = 0
    """GPUs."""
    runs_per_job: Count = 1
    """Runs that share one job, side by side: each has its own cores and memory, all of them share the GPU."""

    @model_validator(mode="after")
    def _check(self) -> ResourcesConfig:
        if self.max_minutes is not None and self.max_minutes < self.minutes:
            raise ValueError(f"max_minutes is {self.max_minutes}, less than minutes = {self.minutes}")
        return self


class Experiment(RunConfig):
    """A whole experiment file."""

    name: str = Field(default="run", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    """Name of the experiment (letters, digits, `-`, `_`): its results lie in `results/<name>/`."""
    sweep: SweepConfig = SweepConfig()
    report: ReportConfig = ReportConfig()
    resources: ResourcesConfig = ResourcesConfig()

    def run_config(self) -> RunConfig:
        """Give the settings of a single run, without the sweep."""
        return RunConfig.model_validate({key: getattr(self, key) for key in RunConfig.model_fields})

    def runs(self) -> list[RunSpec]:
        """Expand the sweep: one `RunSpec` for each training run, in the order of the axes."""
        axes = [axis for axis in AXES if getattr(self.sweep, axis.sweep_key) is not None]
        specs: dict[RunSpec, None] = {}
        for values in product(*(getattr(self.sweep, axis.sweep_key) for axis in axes)):
            chosen = dict(zip((axis.name for axis in axes), values, strict=True))
            dense = chosen["pruning_ratio"] == 0
            params = {
                axis.name: NOT_APPLICABLE if dense and axis.masks_only else format_value(chosen[axis.name])
                for axis in axes
            }
            specs[RunSpec(tuple(params.items()))] = None
        return list(specs)

    def overrides(self, spec: RunSpec) -> dict[str, str]:
        """Give what a run changes in the experiment's settings: dotted key -> value as it is typed after ``--set``."""
        paths = {axis.name: axis.config_path for axis in AXES}
        chosen = {paths[name]: value for name, value in spec.params if value != NOT_APPLICABLE}
        if "env.benchmark" in chosen:
            chosen["env.tasks"] = "null"
        if chosen.get("masks.granularity") == "neuron":
            chosen |= {"masks.mask_biases": "null", "generator.head": "null", "generator.rank": "null"}
        return chosen


class Axis(NamedTuple):
    """One axis of a sweep."""

    name: str
    sweep_key: str
    config_path: str
    masks_only: bool
    """Whether a dense run does not read it."""


AXES = (
    Axis("benchmark", "benchmarks", "env.benchmark", False),
    Axis("granularity", "granularities", "masks.granularity", True),
    Axis("pruning_ratio", "pruning_ratios", "masks.pruning_ratio", False),
    Axis("update_interval", "update_intervals", "masks.update_interval", True),
    Axis("generator_lr", "generator_lrs", "generator.lr", True),
    Axis("use_sl_loss", "use_sl_loss", "generator.use_sl_loss", True),
    Axis("use_trajectory_info", "use_trajectory_info", "generator.use_trajectory_info", True),
    Axis("seed", "seeds", "training.seed", False),
)
"""The axes of a sweep, in the order of a run's path below ``results/<name>/runs/``."""


@dataclass(frozen=True)
class RunSpec:
    """One run of a sweep: (axis name, value as text) for each axis that the experiment sweeps."""

    params: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        """Directory of the run below ``results/<name>/runs/``."""
        return "/".join(f"{name}~{value}" for name, value in self.params)


def format_value(value: Any) -> str:
    """Write a swept value the same way in paths, tables and on the command line: ``0.5``, ``1e-04`` as ``0.0001``."""
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)
