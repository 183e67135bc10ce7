"""Settings that nothing reads: what is written must not be dropped without a word.

What a run directory holds is not asked: these questions are for whoever starts something.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from must.config.axes import AXES, Axis
from must.config.conditions import READ_WITH, Settings, ways_to_read
from must.config.experiment import Experiment, Read
from must.config.methods import METHODS, value_of
from must.config.run_spec import NOT_APPLICABLE, format_value
from must.config.schema import RunConfig
from must.config.variants import to_yaml
from must.errors import ConfigError

OF_THE_WORKFLOW = ("sweep", "report", "resources", "name", "container.flavour", "container.bootstrap")
"""Sections and keys that a single run does not read."""


def unread(experiment: Experiment) -> Iterator[str]:
    """Find what is written in an experiment and read by none of its runs.

    Yields:
        For each, where it is, why it is not read, and what to write instead.
    """
    swept = [axis for axis in experiment.axes if axis.config_path]
    paths = [dict(spec.params) for spec in experiment.runs()]
    runs = experiment.reads()
    for axis in swept:
        values, key = experiment.values(axis), axis.config_path
        single = value_of(experiment, key)
        if single != default_of(key) and single not in values:
            yield f"{key}: {single} is read by no run: {axis.place} is {values}; add it there, or remove it"
        if all(path[axis.name] == NOT_APPLICABLE for path in paths):
            ways = _missing(key, [read for _, read in runs if read.has_masks and read.by_method(key)])
            if len(values) > 1 or (ways and format_value(values[0]) != format_value(default_of(key))):
                why = f"it is read with {_shown(ways)} only" if ways else _why(experiment, axis)
                yield f"{axis.place}: is read by no run ({why}); remove it"
    if experiment.sweep.benchmarks is not None and experiment.env.tasks is not None:
        yield "env.tasks: is read by no run: sweep.benchmarks says which tasks they have; remove one of them"
    yield from _without_condition(experiment, runs)


def _why(experiment: Experiment, axis: Axis) -> str:
    variants = experiment.sweep.variants or {}
    if any(axis.config_path in settings for settings in variants.values()):
        return "the variants set it, or do not read it"
    methods = f"method: {', '.join(experiment.methods)}"
    return f"{methods}; no run has masks" if axis.needs_masks else methods


def _without_condition(experiment: Experiment, runs: list[tuple[str | None, Read]]) -> Iterator[str]:
    """Find settings that lack others with which they are read: of a variant, in its runs; of the file, in all others.

    Where no method reads them, they may be there all the same, but not without those others.
    """
    variants = experiment.sweep.variants or {}
    for key in READ_WITH:
        setting = [name for name, settings in variants.items() if key in settings]
        for own in (None, *setting):
            concerned = [run for name, run in runs if name == own or (own is None and name not in setting)]
            changed = [run for run in concerned if format_value(run.value_of(key)) != format_value(default_of(key))]
            ways = _missing(key, [run for run in changed if run.has_masks and run.by_method(key)] or changed)
            if ways:
                place = key if own is None else f"sweep.variants.{own}.{key}"
                yield f"{place}: is read with {_shown(ways)} only; write that as well, or remove it"


def _missing(key: str, runs: Iterable[Read]) -> list[Settings]:
    """Return what would have to be set for a key to be read by one of these runs; nothing where one reads it."""
    ways: list[Settings] = []
    for run in runs:
        of_method = run.by_method if run.by_method(key) else lambda _: True
        ways += [way for way in ways_to_read(key, run.value_of, of_method) if way not in ways]
    return [] if {} in ways else [way for way in ways if not any(other.items() < way.items() for other in ways)]


def _shown(ways: Iterable[Settings]) -> str:
    return " or ".join(" and ".join(f"{key}: {to_yaml(value)}" for key, value in way.items()) for way in ways)


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
    of_run = partial(value_of, config)
    for key in keys:
        readers = [name for name, spec in METHODS.items() if spec.reads_key(key)]
        if not readers or value_of(config, key) is None:
            continue
        if not config.spec.reads_key(key, of_run):
            yield f"{key} changes nothing: it is not read with method: {config.method}"
        elif config.dense and not config.trained.reads_key(key) and key != "masks.pruning_ratio":
            yield f"{key} changes nothing: it is not read with masks.pruning_ratio: 0"
        elif {} not in (ways := ways_to_read(key, of_run, config.spec.reads_key)):
            yield f"{key} changes nothing: it is read with {_shown(ways)} only"


def default_of(path: str) -> Any:
    """Return what a dotted key of a run is where nobody sets it."""
    section, _, key = path.partition(".")
    fields = RunConfig.model_fields
    if not key:
        return fields[section].default
    kind = fields[section].annotation
    assert kind is not None
    return kind.model_fields[key].default
