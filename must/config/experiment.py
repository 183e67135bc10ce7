"""An experiment: the settings its runs share, the sweep over the others, and what becomes of the results."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from must.config.base import Count, Flag, Fraction, Positive, Real, Section, Whole
from must.config.methods import METHODS, MethodName
from must.config.schema import RunConfig
from must.config.surroundings import ResourcesConfig

NOT_APPLICABLE = "na"
"""Stands in a path or a table for a setting that the run's method does not read, or that needs masks it has not."""


class SweepConfig(Section):
    """Lists of values; the experiment trains every combination.

    Settings that a method does not read are left out of its runs: methods without masks are trained once per seed (and
    benchmark), and so is a dense run (pruning ratio 0), because the settings of masks and generators do not reach it.
    """

    methods: list[MethodName] | None = Field(default=None, min_length=1)
    """Values of `method`."""
    soft_modularization_sizes: list[Literal["shallow", "deep"]] | None = Field(default=None, min_length=1)
    """Values of `soft_modularization.size`."""
    magnitude_networks: list[Literal["actor", "both"]] | None = Field(default=None, min_length=1)
    """Values of `magnitude.networks`."""
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


class Experiment(RunConfig):
    """A whole experiment file."""

    name: str = Field(default="run", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    """Name of the experiment (letters, digits, `-`, `_`): its results lie in `results/<name>/`."""
    sweep: SweepConfig = SweepConfig()
    report: ReportConfig = ReportConfig()
    resources: ResourcesConfig = ResourcesConfig()

    @model_validator(mode="after")
    def _check_sections(self) -> Experiment:
        """Refuse settings of a method that the experiment does not train.

        Those of masks and generators may stay, so that one file can be run with several methods.
        """
        defaults = type(self).model_fields
        given = {name: name for name in OWN_SECTIONS if getattr(self, name) != defaults[name].default}
        for axis in AXES:
            section = axis.config_path.partition(".")[0]
            if section in OWN_SECTIONS and getattr(self.sweep, axis.sweep_key) is not None:
                given[f"sweep.{axis.sweep_key}"] = section
        for key, section in given.items():
            readers = [name for name, spec in METHODS.items() if section in spec.reads]
            if not set(readers) & set(self.methods):
                raise ValueError(
                    f"{key} is read by method: {', '.join(readers)} only; the experiment trains "
                    f"{', '.join(self.methods)}; remove it"
                )
        return self

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that the experiment trains."""
        return tuple(self.sweep.methods or (self.method,))

    def run_config(self) -> RunConfig:
        """Give the settings of a single run, without the sweep."""
        return RunConfig.model_validate({key: getattr(self, key) for key in RunConfig.model_fields})

    def runs(self) -> list[RunSpec]:
        """Expand the sweep: one `RunSpec` for each training run, in the order of the axes."""
        axes = [axis for axis in AXES if getattr(self.sweep, axis.sweep_key) is not None]
        specs: dict[RunSpec, None] = {}
        for values in product(*(getattr(self.sweep, axis.sweep_key) for axis in axes)):
            chosen = dict(zip((axis.name for axis in axes), values, strict=True))
            method = chosen.get("method", self.method)
            prunes = METHODS[method].reads_key("masks.pruning_ratio")
            dense = chosen["pruning_ratio"] == 0 or not prunes
            if prunes and dense and "mt_sac" in self.methods:
                continue  # it is that method, bit for bit
            params = {
                axis.name: format_value(chosen[axis.name])
                if not axis.of_a_method or (_reads(method, axis) and not (dense and axis.needs_masks))
                else NOT_APPLICABLE
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
    needs_masks: bool = False
    """Whether a dense run does not read it."""

    @property
    def of_a_method(self) -> bool:
        """Whether only some methods read it."""
        return self.config_path.partition(".")[0] in METHOD_SECTIONS


METHOD_SECTIONS = frozenset(section for spec in METHODS.values() for section in spec.reads)
"""Sections that only some methods read."""
OWN_SECTIONS = METHOD_SECTIONS - {"masks", "generator"}
"""Those of them that belong to one method."""

AXES = (
    Axis("benchmark", "benchmarks", "env.benchmark"),
    Axis("method", "methods", "method"),
    Axis("size", "soft_modularization_sizes", "soft_modularization.size"),
    Axis("networks", "magnitude_networks", "magnitude.networks"),
    Axis("granularity", "granularities", "masks.granularity", needs_masks=True),
    Axis("pruning_ratio", "pruning_ratios", "masks.pruning_ratio"),
    Axis("update_interval", "update_intervals", "masks.update_interval", needs_masks=True),
    Axis("generator_lr", "generator_lrs", "generator.lr", needs_masks=True),
    Axis("use_sl_loss", "use_sl_loss", "generator.use_sl_loss", needs_masks=True),
    Axis("use_trajectory_info", "use_trajectory_info", "generator.use_trajectory_info", needs_masks=True),
    Axis("seed", "seeds", "training.seed"),
)
"""The axes of a sweep, in the order of a run's path below ``results/<name>/runs/``."""


def _reads(method: str, axis: Axis) -> bool:
    return METHODS[method].reads_key(axis.config_path)


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
