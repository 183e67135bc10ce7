"""Settings that nothing reads: what is written must not be dropped without a word.

What a run directory holds is not asked: these questions are for whoever starts something.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from must.config.axes import AXES, Axis
from must.config.experiment import Experiment
from must.config.methods import METHODS, value_of
from must.config.run_spec import NOT_APPLICABLE
from must.config.schema import RunConfig
from must.errors import ConfigError

READ_WITH: dict[str, tuple[str, Any]] = {
    "masks.fade": ("masks.update", "apart"),
    "masks.hold_targets": ("masks.update", "apart"),
    "masks.update_steps": ("masks.update", "apart"),
    "generator.kl_weight": ("generator.encoder_loss", "vae"),
    "generator.sl_steps": ("generator.sl_weight", None),
}
"""Keys that are read only where another one has some value: key -> (key, value)."""

OF_THE_WORKFLOW = ("sweep", "report", "resources", "name", "container.flavour", "container.bootstrap")
"""Sections and keys that a single run does not read."""


def unread(experiment: Experiment) -> Iterator[str]:
    """Find what is written in an experiment and read by none of its runs.

    Yields:
        For each, where it is, why it is not read, and what to write instead.
    """
    swept = [axis for axis in experiment.axes if axis.config_path]
    runs = [dict(spec.params) for spec in experiment.runs()]
    for axis in swept:
        values = experiment.values(axis)
        single = value_of(experiment, axis.config_path)
        if single != default_of(axis.config_path) and single not in values:
            yield (
                f"{axis.config_path}: {single} is read by no run: {axis.place} is {values}; add it there, or remove it"
            )
        if len(values) > 1 and all(run[axis.name] == NOT_APPLICABLE for run in runs):
            yield f"{axis.place}: is read by no run ({_why(experiment, axis)}); remove it"
    if experiment.sweep.benchmarks is not None and experiment.env.tasks is not None:
        yield "env.tasks: is read by no run: sweep.benchmarks says which tasks they have; remove one of them"
    yield from _without_condition(experiment)


def _why(experiment: Experiment, axis: Axis) -> str:
    variants = experiment.sweep.variants or {}
    if any(axis.config_path in settings for settings in variants.values()):
        return "the variants set it, or do not read it"
    methods = f"method: {', '.join(experiment.methods)}"
    return f"{methods}; no run has masks" if axis.needs_masks else methods


def _without_condition(experiment: Experiment) -> Iterator[str]:
    variants: dict[str | None, Mapping[str, Any]] = {None: {}}
    if experiment.sweep.variants:
        variants = {name: settings for name, settings in experiment.sweep.variants.items()}  # noqa: C416 - None is a key

    def value(variant: str | None, key: str) -> Any:
        return variants[variant].get(key, value_of(experiment, key))

    for key, (other, wanted) in READ_WITH.items():
        changed = [name for name in variants if value(name, key) != default_of(key)]
        if changed and all(value(name, other) != wanted for name in changed):
            place = f"sweep.variants.{changed[0]}.{key}" if key in variants[changed[0]] else key
            yield f"{place}: is read with {other}: {_shown(wanted)} only; remove it"


def require_for_one_run(overrides: Iterable[str]) -> None:
    """Refuse options of a command that is about one run, where a single run does not read them.

    Raises:
        ConfigError: It says what to write instead.
    """
    for key in overrides:
        if not any(key == name or key.startswith(f"{name}.") for name in OF_THE_WORKFLOW):
            continue
        single = [axis.config_path for axis in AXES if f"sweep.{axis.sweep_key}" == key and axis.config_path]
        instead = f"write --set {single[0]}=VALUE" if single else "leave it out, or write it in the file"
        raise ConfigError(f"--set {key}: a single run does not read it (the workflow does); {instead}")


def unread_by_run(config: RunConfig, keys: Iterable[str]) -> Iterator[str]:
    """Refuse options that a run does not read; a script may give all of its runs the same ones.

    Args:
        config: The run's settings.
        keys: Dotted keys that were given.

    Yields:
        For each that changes nothing, which it is and why.
    """
    for key in keys:
        readers = [name for name, spec in METHODS.items() if spec.reads_key(key)]
        if not readers or value_of(config, key) is None:
            continue
        if not config.spec.reads_key(key, partial(value_of, config)):
            yield f"{key} changes nothing: it is not read with method: {config.method}"
        elif config.dense and not config.trained.reads_key(key) and key != "masks.pruning_ratio":
            yield f"{key} changes nothing: it is not read with masks.pruning_ratio: 0"
        elif key in READ_WITH and value_of(config, READ_WITH[key][0]) != READ_WITH[key][1]:
            other, wanted = READ_WITH[key]
            yield f"{key} changes nothing: it is read with {other}: {_shown(wanted)} only"


def default_of(path: str) -> Any:
    """Return what a dotted key of a run is where nobody sets it."""
    section, _, key = path.partition(".")
    fields = RunConfig.model_fields
    if not key:
        return fields[section].default
    kind = fields[section].annotation
    assert kind is not None
    return kind.model_fields[key].default


def _shown(value: Any) -> str:
    return "null" if value is None else str(value)
