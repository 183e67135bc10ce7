"""An experiment: the settings its runs share, the sweep over the others, and what becomes of the results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from typing import Any, NamedTuple

from pydantic import Field, model_validator

from must.config.axes import ALWAYS_SWEPT, AXES, METHOD_SECTIONS, Axis, grid_axis
from must.config.conditions import is_read
from must.config.methods import (
    CONTROL,
    KINDS,
    MASKS,
    METHODS,
    PARTS,
    MethodSpec,
    architectures_with,
    composed,
    value_of,
)
from must.config.run_spec import NOT_APPLICABLE, RunSpec, format_value
from must.config.schema import RunConfig
from must.config.surroundings import ResourcesConfig
from must.config.sweep import ReportConfig, SweepConfig
from must.config.variants import to_yaml
from must.errors import ConfigError
from must.sections import parse_number


class Read(NamedTuple):
    """What a run of an experiment reads."""

    value_of: Callable[[str], Any]
    """Returns what it has for a key: as in its path, where that is swept."""
    by_method: Callable[[str], bool]
    """Returns whether its method reads a key, whatever its other settings are."""
    has_masks: bool
    """Whether anything is cut out of its networks."""


class Experiment(RunConfig):
    """A whole experiment file."""

    name: str = Field(default="run", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    """Name of the experiment (letters, digits, `-`, `_`): its results lie in `results/<name>/`."""
    sweep: SweepConfig = SweepConfig()
    report: ReportConfig = ReportConfig()
    resources: ResourcesConfig = ResourcesConfig()

    @model_validator(mode="after")
    def _fill_sweep(self) -> Experiment:
        """Sweep the single value of each setting that every sweep has and this one leaves out."""
        left_out = {
            axis.sweep_key: [value_of(self, axis.config_path)]
            for axis in AXES
            if axis.sweep_key in ALWAYS_SWEPT and axis.sweep_key not in self.sweep.model_fields_set
        }
        return self.model_copy(update={"sweep": self.sweep.model_copy(update=left_out)}) if left_out else self

    @model_validator(mode="after")
    def _check_sections(self) -> Experiment:
        problem = self.section_problem()
        if problem and self.sweep.variants is None:  # of one variant's run, what belongs to the others says nothing
            raise ValueError(problem)
        if self.judges_last and self.report.final_evaluations > 1:
            raise ValueError(
                "evaluation.final_episodes and final_horizon make the last evaluation different from those before it, "
                f"but report.final_evaluations averages {self.report.final_evaluations}: set it to 1"
            )
        return self

    def section_problem(self) -> str:
        """Describe which settings belong to a method that the experiment does not train; nothing where all are read.

        Those of masks and generators may stay, so that one file can be run with several methods.
        """
        defaults = type(self).model_fields
        given = {name: name for name in OWN_SECTIONS if getattr(self, name) != defaults[name].default}
        for axis in self.axes:
            section = axis.config_path.partition(".")[0]
            if section in OWN_SECTIONS:
                given[axis.place] = section
        for key, section in given.items():
            readers = [name for name, spec in METHODS.items() if spec.reads_section(section)]
            if not set(readers) & set(self.methods) and not self.chosen_reads(section):
                return (
                    f"{key} is read by method: {', '.join(readers)} only; the experiment trains "
                    f"{', '.join(self.methods)}; remove it"
                )
        return ""

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes that are swept, in the order of a run's path."""
        *own, seed = (axis for axis in AXES if getattr(self.sweep, axis.sweep_key) is not None)
        return (*own, *map(grid_axis, self.sweep.grid or ()), seed)

    def values(self, axis: Axis) -> list[Any]:
        """Return the values of a swept axis; those of the variants are their names."""
        return list(
            getattr(self.sweep, axis.sweep_key) if axis.sweep_key else (self.sweep.grid or {})[axis.config_path]
        )

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that the experiment trains."""
        names = self.sweep.variants or (None,)
        return tuple(dict.fromkeys(method for name in names for method in self.methods_of(name)))

    def methods_of(self, variant: str | None) -> tuple[str, ...]:
        """Return the methods that a variant is trained with; None is an experiment without variants."""
        settings = self._variant(variant)
        return (settings["method"],) if "method" in settings else tuple(self.sweep.methods or (self.method,))

    def run_config(self) -> RunConfig:
        """Return the settings of a single run, without the sweep.

        Raises:
            ConfigError: It is made of parts that make no sense together.
        """
        problems = list(self.spec.problems(architectures_with))
        if problems:
            raise ConfigError("\n".join(problems))
        return RunConfig.model_validate({key: getattr(self, key) for key in RunConfig.model_fields})

    def runs(self) -> list[RunSpec]:
        """Expand the sweep: one `RunSpec` for each training run, in the order of the axes.

        Where runs of several variants do not differ, as those of pruning ratio 0 often, the first variant's is trained.
        """
        specs: dict[Any, RunSpec] = {}
        for spec in self.combinations():
            specs.setdefault(self._reaching(spec), spec)
        return list(specs.values())

    def combinations(self) -> list[RunSpec]:
        """Return what `runs` gives, with every run of every variant."""
        axes = self.axes
        specs: dict[RunSpec, None] = {}
        for values in product(*map(self.values, axes)):
            chosen = dict(zip((axis.name for axis in axes), values, strict=True))
            variant, _, dense = self._resolve(chosen)
            if chosen["seed"] not in self.sweep.seeds_of(chosen.get("variant")):
                continue
            if self._spec(chosen).prunes and dense and self._trains_control(variant):
                continue  # it is that method, bit for bit
            params = {
                axis.name: format_value(chosen[axis.name])
                if self._reaches(axis, chosen) and axis.config_path not in variant
                else NOT_APPLICABLE
                for axis in axes
            }
            specs[RunSpec(tuple(params.items()))] = None
        return list(specs)

    def settings(self, spec: RunSpec) -> dict[str, str]:
        """Return what a run has for each swept axis: as in its path, but with what its variant sets, and its method."""
        params = dict(spec.params)
        variant, method, _ = self._resolve(params)
        values = {path: format_value(parse_number(value)) for path, value in variant.items()}
        found: dict[str, str] = {}
        for axis in self.axes:
            held = axis.config_path in variant and self._reaches(axis, params)
            found[axis.name] = values[axis.config_path] if held else params[axis.name]
            if axis.name == "variant":
                found["method"] = method
        return found

    def overrides(self, spec: RunSpec) -> dict[str, str]:
        """Return what a run changes in the experiment's settings: dotted key -> value as typed after ``--set``."""
        params = dict(spec.params)
        swept = [axis for axis in self.axes if axis.config_path and params[axis.name] != NOT_APPLICABLE]
        chosen = {axis.config_path: self._typed(axis, params[axis.name]) for axis in swept}
        of_variant = {key: to_yaml(value) for key, value in self._variant(params.get("variant")).items()}
        of_weights = dict.fromkeys(("masks.mask_biases", "generator.head", "generator.rank"), "null")
        if "env.benchmark" in chosen:
            chosen["env.tasks"] = "null"
        if chosen.get("masks.granularity") == "neuron":
            return chosen | of_variant | of_weights
        return chosen | (of_weights if of_variant.get("masks.granularity") == "neuron" else {}) | of_variant

    def _typed(self, axis: Axis, text: str) -> str:
        """Return a value of an axis as it is typed after ``--set``, from what stands for it in a path."""
        if axis.sweep_key:
            return text
        return to_yaml(next(value for value in self.values(axis) if format_value(value) == text))

    def _variant(self, name: str | None) -> Mapping[str, Any]:
        """Return the settings of a variant; None has none."""
        return {} if name is None or self.sweep.variants is None else self.sweep.variants[name]

    def _resolve(self, chosen: Mapping[str, Any]) -> tuple[Mapping[str, Any], str, bool]:
        """Return what a run's variant sets, its method, and whether it is dense, from what is chosen on each axis."""
        variant = self._variant(chosen.get("variant"))
        method = str(variant.get("method", chosen.get("method", self.method)))
        ratio = variant.get("masks.pruning_ratio", chosen["pruning_ratio"])
        return variant, method, not self._spec(chosen).prunes or parse_number(ratio) == 0

    def _spec(self, chosen: Mapping[str, Any]) -> MethodSpec:
        """Return what a run is made of, from what is chosen on each axis."""
        method = self._variant(chosen.get("variant")).get("method", chosen.get("method", self.method))
        return composed(str(method), partial(self._value, chosen))

    def chosen_reads(self, section: str) -> bool:
        """Return whether a part that the experiment chooses itself, beside its methods', reads a section."""
        grid, variants = self.sweep.grid or {}, (self.sweep.variants or {}).values()
        for kind in KINDS:
            names = {value_of(self, kind), *grid.get(kind, ()), *(variant.get(kind) for variant in variants)}
            if any(section in part.reads for name, part in PARTS[kind].items() if name in names):
                return True
        return False

    def reads(self) -> list[tuple[str | None, Read]]:
        """Return the variant of each run with the first seed, and what the run reads."""
        chosen = [dict(spec.params) for spec in self.combinations() if spec.has("seed", str(self.sweep.seeds[0]))]
        return [(params.get("variant"), self.read_in(params)) for params in chosen]

    def read_in(self, chosen: Mapping[str, Any]) -> Read:
        """Return what a run reads, from what is chosen on each axis."""
        value = partial(self._value, chosen)
        _, _, dense = self._resolve(chosen)
        return Read(value, partial(self._spec(chosen).reads_key, value_of=value), not dense)

    def _value(self, chosen: Mapping[str, Any], path: str) -> Any:
        """Return the value of a key in a run, from what is chosen on each axis."""
        given = [axis for axis in self.axes if chosen.get(axis.name, NOT_APPLICABLE) != NOT_APPLICABLE]
        swept = {axis.config_path: chosen[axis.name] for axis in given}
        return (swept | dict(self._variant(chosen.get("variant")))).get(path, value_of(self, path))

    def _reaches(self, axis: Axis, chosen: Mapping[str, Any]) -> bool:
        """Return whether a run depends on an axis, from what is chosen on each."""
        if axis.config_path == MASKS:
            own = value_of(self, MASKS) is None and chosen[axis.name] in (None, "null")
            pruned = parse_number(self._value(chosen, "masks.pruning_ratio")) != 0
            return pruned and not (own and not self._spec(chosen).prunes)
        if not axis.of_a_method:
            return True
        read = self.read_in(chosen)
        by_method = read.by_method(axis.config_path) and not (axis.needs_masks and not read.has_masks)
        return by_method and is_read(axis.config_path, read.value_of, read.by_method)

    def _trains_control(self, variant: Mapping[str, Any]) -> bool:
        """Return whether the control is trained as well, with what a variant sets outside of methods' sections."""
        if self.sweep.variants is None:
            return CONTROL in self.methods
        return any(
            _shared(other) == _shared(variant) and CONTROL in self.methods_of(name)
            for name, other in self.sweep.variants.items()
        )

    def _reaching(self, run: RunSpec) -> Any:
        """Return the settings of a run that set it apart from others, whatever variant they come from."""
        settings = self.settings(run)
        variant, method, dense = self._resolve(dict(run.params))
        swept = {axis.config_path for axis in self.axes}
        spec = self._spec(dict(run.params))
        pruned_away = dense and spec.prunes
        value_at = partial(self._value, dict(run.params))
        others = {
            key: to_yaml(value)
            for key, value in variant.items()
            if key not in swept and (key in _shared(variant) or (spec.reads_key(key, value_at) and not pruned_away))
        }
        return frozenset((settings | {"variant": "", "method": method} | others).items())


OWN_SECTIONS = METHOD_SECTIONS - {"masks", "generator"}
"""Sections that belong to one method."""


def _shared(variant: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a variant sets outside of the sections that only some methods read, the method aside."""
    return {key: value for key, value in variant.items() if key.partition(".")[0] not in METHOD_SECTIONS | {"method"}}
