"""The sections of an experiment beside those of its runs: what is swept, and how runs become numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, create_model, field_validator, model_validator

from must.config.methods import SECTIONS, SWEPT, MethodName
from must.config.run_spec import NOT_APPLICABLE, format_value
from must.sections import Count, Flag, Fraction, Positive, Real, Section, Whole, parse_number, suggest

VARIANT_NAME = r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$"
"""What a variant may be called; its name is a part of a path."""


class _Lists(Section):
    """Lists of values; the experiment trains every combination.

    Settings that a method does not read are left out of its runs: methods without masks are trained once per seed (and
    benchmark), and so is a dense run (pruning ratio 0), because the settings of masks and generators do not reach it.
    """

    variants: dict[str, dict[str, Any]] | None = Field(
        default=None, min_length=1, json_schema_extra={"propertyNames": {"pattern": VARIANT_NAME}}
    )
    """Settings with names of their own: `name: {key: value}`, keys as after `--set`, such as
    `{static: {method: static_sparse}, slow: {sac.lr: 1e-4}}`. What a variant sets is not swept in its runs."""
    methods: list[MethodName] | None = Field(default=None, min_length=1)
    """Values of `method`."""
    seeds: list[Whole] = Field(default=[0], min_length=1)
    """Seeds; the tables give mean and spread over them. When left out, `training.seed`."""
    fewer_seeds: dict[str, Count] | None = Field(default=None, min_length=1)
    """Variants of which only the first n of `seeds` are trained, because their runs take long: `{dense: 3}`."""
    pruning_ratios: list[Fraction] = Field(default=[0.5], min_length=1)
    """Pruning ratios; 0 is the control, dense multi-task SAC. When left out, `masks.pruning_ratio`."""
    update_intervals: list[Count] = Field(default=[50], min_length=1)
    """Training epochs between two renewals of the masks. When left out, `masks.update_interval`."""
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
    grid: dict[str, Annotated[list[Any], Field(min_length=1)]] | None = Field(default=None, min_length=1)
    """Values of any other keys, written as after `--set`, such as `{sac.lr: [3e-4, 1e-3], sac.gamma: [0.97, 0.99]}`."""

    @field_validator("*")
    @classmethod
    def _check_unique(cls, values: Any) -> Any:
        if isinstance(values, list):
            _require_unique(values)
        return values

    @field_validator("grid")
    @classmethod
    def _check_grid(cls, grid: dict[str, list[Any]] | None) -> dict[str, list[Any]] | None:
        numbers = {key: [parse_number(value) for value in values] for key, values in (grid or {}).items()}
        for key, values in numbers.items():
            try:
                _require_unique(values)
            except ValueError as error:
                raise ValueError(f"{key} {error}") from None
            for value in values:
                if not re.fullmatch(r"[A-Za-z0-9_.+-]+", format_value(value)):
                    raise ValueError(f"{key}: {value!r} cannot be a part of a path, so it cannot be swept")
        return numbers if grid else grid

    @field_validator("variants")
    @classmethod
    def _check_names(cls, values: dict[str, Any] | None) -> dict[str, Any] | None:
        for name in values or {}:
            if name == NOT_APPLICABLE:
                raise ValueError(f"'{name}' cannot be the name of a variant: in a path it stands for what is not read")
            if not re.fullmatch(VARIANT_NAME, name):
                raise ValueError(f"'{name}' cannot be the name of a variant: use letters, digits, '-', '_' and '.'")
        return values

    @model_validator(mode="after")
    def _check_fewer_seeds(self) -> Self:
        for name, count in (self.fewer_seeds or {}).items():
            if name not in (self.variants or {}):
                raise ValueError(f"fewer_seeds.{name}: unknown variant{suggest(name, self.variants or {})}")
            if count >= len(self.seeds):
                raise ValueError(
                    f"fewer_seeds.{name}: is {count}, but seeds lists {len(self.seeds)}: write fewer, or remove it"
                )
        return self

    def seeds_of(self, variant: str | None) -> list[int]:
        """Return the seeds that a variant is trained with; None is an experiment without variants."""
        return self.seeds[: (self.fewer_seeds or {}).get(variant or "", len(self.seeds))]


def _list_of(key: str) -> Any:
    """Return the field of a list of values of a method's own key: its type, and what it is for."""
    section, _, name = key.partition(".")
    kind = SECTIONS[section].model_fields[name].annotation
    return (list[kind] | None, Field(default=None, min_length=1, description=f"Values of `{key}`."))  # type: ignore[valid-type]


if TYPE_CHECKING:
    SweepConfig = _Lists
else:
    SweepConfig = create_model(
        "SweepConfig",
        __base__=_Lists,
        __doc__=_Lists.__doc__,
        __module__=__name__,
        **{own.sweep_key: _list_of(own.key) for own in SWEPT},
    )


def _require_unique(values: list[Any]) -> None:
    """Refuse values that have one and the same path."""
    paths: dict[str, int] = {}
    for number, value in enumerate(values):
        path = format_value(value)
        if path in paths:
            first = paths[path]
            raise ValueError(
                f"names a value twice: items {first + 1} and {number + 1}, {values[first]!r} and {value!r}, are "
                f"both '{path}' in the path of a run; list each value once"
            )
        if isinstance(value, float) and float(path) != value:
            raise ValueError(f"{value!r} has more than 10 digits, which is all that the path of a run holds; {path}?")
        paths[path] = number


class ReportConfig(Section):
    """How runs become numbers."""

    final_evaluations: Count = 1
    """The final success rate of a run is the mean of its last n evaluations."""
    success_rate: Annotated[Real, Field(gt=0, le=1)] = 0.8
    """Mean success over the tasks up to which environment steps are counted."""
