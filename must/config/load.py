"""Reading a configuration: YAML file, then overrides, then validation with messages a user can act on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from must.config.axes import METHOD_SECTIONS
from must.config.experiment import Experiment
from must.config.first_masks import early_masks
from must.config.methods import CONTROL, KINDS, METHODS, value_of
from must.config.overrides import as_typed, explain_option, explain_together, lay_over
from must.config.problems import explain, explain_at, location_of
from must.config.run_spec import RunSpec
from must.config.schema import RunConfig
from must.config.unread import default_of, unread
from must.config.variants import grid_problems, key_problems
from must.config.yaml_text import Source, parse_yaml, read_text, write_yaml
from must.errors import ConfigError

_NOT_IN_IDENTITY: dict[str, Any] = {
    "logging": True,
    "container": True,
    "training": {"n_workers", "checkpoint_minutes", "worker_timeout_minutes", "keep_policies"},
    "evaluation": {"protocol", "beside"},  # the keys that the protocol settles are there
}
"""Settings that cannot change a result: a run may be continued with others."""
_WRITTEN_WHERE_SET = (
    "training.keep_policies",
    "logging.wandb_project",
    "logging.wandb_entity",
    "logging.wandb_group",
    "logging.wandb_tags",
    *KINDS,
)
"""Keys that are not written where they are the default: files from before there were any stay as they are."""
_CAME_LATER = {
    "network.layer_norm": False,
    "masks.hold_targets": False,
    "env.reward_normalisation": None,
    "sac.terminal_at_horizon": False,
    "sac.q_clip": None,
    "sac.n_step": 1,
    "training.pretrain_actions": "policy",
    "evaluation.final_episodes": None,
    "training.matmul_precision": "highest",
    "evaluation.final_horizon": None,
    **dict.fromkeys(KINDS),
}
"""Keys that older runs do not have -> what they did."""


def load_experiment(
    path: Path | str, overrides: Mapping[str, str] | None = None, typed: Mapping[str, str] | None = None
) -> Experiment:
    """Read an experiment (or a run's own ``config.yaml``).

    Args:
        path: The YAML file.
        overrides: Dotted key -> value as YAML text, as after ``--set``; they replace what the file says.
        typed: Dotted key -> the option that its override comes from, where it is another than ``--set``.

    Raises:
        ConfigError: The file cannot be read, or what it says is not valid.
    """
    data, source = _read(Path(path))
    overrides = overrides or {}
    options = as_typed(overrides, typed)

    def explained(problem: Any) -> str:
        return explain_option(problem, options) or explain_together(problem, data, overrides, options, source)

    return _parse(data, overrides, source, options, explained)


def _read(path: Path) -> tuple[Any, Source]:
    text = read_text(path)
    return parse_yaml(text, str(path)), Source(str(path), text)


def parse_experiment(
    data: Any, overrides: Mapping[str, str] | None = None, source: Source | str = "configuration"
) -> Experiment:
    """Validate an experiment that was read already; see `load_experiment`.

    Overrides make a single run of it, beside which the variants of the sweep mean nothing: they are then not checked.
    """
    overrides, place = overrides or {}, source if isinstance(source, Source) else Source(source)
    return _parse(data, overrides, place, as_typed(overrides), lambda problem: explain_at(place, problem))


def _parse(
    data: Any,
    overrides: Mapping[str, str],
    source: Source,
    options: Mapping[str, str],
    explained: Callable[[Any], str],
) -> Experiment:
    if not isinstance(data, dict):
        found = "nothing" if data is None else f"{data!r:.60}"
        raise ConfigError(f"{source}: expected sections such as 'env:' and 'training:', found {found}")
    experiment = _validate(lay_over(data, overrides, options), explained)
    chooses = any(value_of(experiment, kind) is not None for kind in KINDS)
    if (experiment.sweep.variants or experiment.sweep.grid or chooses) and not overrides:
        _check_runs(experiment, data, source)
    return experiment


def load_sweep(path: Path | str) -> Experiment:
    """Read an experiment whose runs are to be trained or looked at, all of which must be read by some run.

    Raises:
        ConfigError: As `load_experiment`, or something in it is read by no run, or masks come before what they read.
    """
    return parse_sweep(*_read(Path(path)))


def parse_sweep(data: Any, source: Source | str = "configuration") -> Experiment:
    """Validate an experiment that was read already; see `load_sweep`."""
    experiment = parse_experiment(data, source=source)
    problems = [*unread(experiment), *early_masks(experiment)]
    if problems:
        raise ConfigError("\n".join(_located(source, problem) for problem in problems))
    return experiment


def read_recorded(path: Path) -> RunConfig:
    """Read the ``config.yaml`` of a run directory; see `parse_recorded`."""
    return parse_recorded(*_read(path))


def parse_recorded(data: Any, source: Source | str = "configuration") -> RunConfig:
    """Validate what a run directory holds as its settings, and return them as the run was trained.

    Keys that did not exist then have the value of what the run did, which is not always today's default.
    """
    if isinstance(data, dict):
        for path, before in _CAME_LATER.items():
            section, key = path.split(".")
            if path not in KINDS and isinstance(data.get(section, {}), dict):
                data = {**data, section: {key: before, **data.get(section, {})}}
    return parse_experiment(data, source=source).run_config()


def _located(source: Source | str, problem: str) -> str:
    """Return a problem that begins with a key, behind what it is in, with the line."""
    place = source.at([problem.partition(":")[0]]) if isinstance(source, Source) else source
    return f"{place}: {problem}"


def _validate(data: dict[str, Any], explained: Callable[[Any], str]) -> Experiment:
    try:
        return Experiment.model_validate(data)
    except ValidationError as error:
        raise ConfigError("\n".join(explained(problem) for problem in error.errors())) from None


def _check_runs(experiment: Experiment, data: dict[str, Any], source: Source) -> None:
    """Check that every variant and every value of the grid can be trained, and that no two variants are the same.

    Raises:
        ConfigError: It names every variant and value with a mistake.
    """
    found = (*grid_problems(experiment), *key_problems(experiment), experiment.section_problem())
    problems = [_located(source, problem) for problem in found if problem]
    if problems:
        raise ConfigError("\n".join(problems))
    first = [spec for spec in experiment.combinations() if spec.has("seed", str(experiment.sweep.seeds[0]))]
    made: dict[str, set[str]] = {name: set() for name in experiment.sweep.variants or {}}
    for spec in first:
        try:
            overrides = experiment.overrides(spec)
            changed = lay_over(data, overrides, as_typed(overrides))
            run = _validate(changed, partial(_explain_run, source, experiment, spec))
        except ConfigError as error:
            problems += str(error).splitlines()
            continue
        try:
            config = run.run_config()
        except ConfigError as error:
            problems += [f"{source}: run {spec.path}: {problem}" for problem in str(error).splitlines()]
            continue
        if experiment.sweep.variants:
            made[dict(spec.params)["variant"]].add(identity(config))
    if problems:
        raise ConfigError("\n".join(dict.fromkeys(problems)))
    for (one, settings), (other, others) in combinations(made.items(), 2):
        if settings and settings == others:
            problem = f"'{one}' and '{other}' have the same settings in all of their runs; remove one of them"
            raise ConfigError(_located(source, f"sweep.variants: {problem}"))


def _explain_run(source: Source, experiment: Experiment, spec: RunSpec, problem: Any) -> str:
    """Turn a problem of a run into a line, with the key of its variant or of the grid where the problem lies in one."""
    where = ".".join(str(part) for part in problem["loc"])
    name = dict(spec.params).get("variant")
    of_variant = (experiment.sweep.variants or {}).get(str(name), {})
    places = dict.fromkeys(experiment.sweep.grid or {}, "sweep.grid") | dict.fromkeys(
        of_variant, f"sweep.variants.{name}"
    )
    for key, place in places.items():
        if where == key or where.startswith(f"{key}."):
            return f"{source.at([place, *location_of(problem)])}: {place}.{explain(problem)}"
    return _located(source, f"{f'sweep.variants.{name}' if name else f'run {spec.path}'}: {explain(problem)}")


def dump(config: RunConfig) -> str:
    """Write a resolved configuration as YAML, with every key but those of sections that no method of it reads.

    Parts that are those of the method are not written either, nor are settings of policies and trackers left alone.
    """
    specs = [config.spec, *(METHODS[name] for name in (config.methods if isinstance(config, Experiment) else ()))]
    unread = {section for section in METHOD_SECTIONS if not any(spec.reads_section(section) for spec in specs)}
    if isinstance(config, Experiment):
        unread = {section for section in unread if not config.chosen_reads(section)}
    data = config.model_dump(mode="json", exclude=unread)
    for path in _WRITTEN_WHERE_SET:
        if value_of(config, path) == default_of(path):
            _remove(data, path)
    return write_yaml(data, sort_keys=False)


def result_settings(config: RunConfig) -> dict[str, Any]:
    """Return the settings that can change the result of a run: not the number of workers, for example.

    Settings that the run's method does not read are left out. So are those that came later, where they have the value
    that there was before, so that older runs are still what they were.
    """
    settings = config.model_dump(mode="json", exclude=_NOT_IN_IDENTITY)
    for path, before in _CAME_LATER.items():
        section = path.partition(".")[0]
        unread = section in METHOD_SECTIONS and not config.trained.reads_key(path)
        if value_of(config, path) == before or unread or (path in KINDS and _is_preset(config, path)):
            _remove(settings, path)
    for section in METHOD_SECTIONS:
        settings[section] = {
            key: value
            for key, value in settings[section].items()
            if config.spec.reads_key(f"{section}.{key}", partial(value_of, config))
        }
        if not settings[section]:
            del settings[section]
    if config.method == RunConfig.model_fields["method"].default:
        del settings["method"]
    return settings


def _is_preset(config: RunConfig, kind: str) -> bool:
    """Return whether a configuration chooses the part that its method has anyway."""
    preset = METHODS[config.method].part(kind) or METHODS[CONTROL].part(kind)
    return preset is not None and value_of(config, kind) == preset.name


def _remove(settings: dict[str, Any], path: str) -> None:
    """Remove a dotted key, where it is there."""
    section, _, key = path.partition(".")
    settings.get(section, {}).pop(key, None)


def identity(config: RunConfig) -> str:
    """Return a hash of the settings that can change the result of a run (16 hexadecimal digits)."""
    return hashlib.sha256(json.dumps(result_settings(config), sort_keys=True).encode()).hexdigest()[:16]
