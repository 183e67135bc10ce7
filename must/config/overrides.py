"""Settings that replace those of a file: how options say them, and which option is to blame for a mistake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from must.config.experiment import Experiment
from must.config.keys import fields_at
from must.config.problems import UNKNOWN, describe, explain, explain_at, location_of, place_of, unknown_key
from must.config.yaml_text import Source, parse_yaml
from must.errors import ConfigError

_NO_SECTION = "'{}' is a value, not a section; end the key with it"


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """Split the ``section.key=value`` of the ``--set`` options."""
    pairs: dict[str, str] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set {text}: write it as --set section.key=value, such as --set sac.gamma=0.95")
        if key in pairs:
            raise ConfigError(f"--set {text}: {key} is set twice, first to {pairs[key]}; keep one of them")
        pairs[key] = value
    return pairs


def as_typed(overrides: Mapping[str, str], typed: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the option that each override comes from: dotted key -> what was typed, ``--set`` where nothing says."""
    return {key: f"--set {key}={text}" for key, text in overrides.items()} | dict(typed or {})


def lay_over(data: dict[str, Any], overrides: Mapping[str, str], options: Mapping[str, str]) -> dict[str, Any]:
    """Return a copy of nested settings in which overrides replace what was there.

    Args:
        data: The settings.
        overrides: Dotted key -> value as YAML text.
        options: Dotted key -> the option that it comes from, for messages.

    Raises:
        ConfigError: A value is not YAML, or its key leads through another value.
    """
    for key, text in overrides.items():
        data = _replaced(data, key, parse_yaml(text, options[key]), options[key])
    return data


def _replaced(data: dict[str, Any], dotted: str, value: Any, source: str) -> dict[str, Any]:
    head, _, rest = dotted.partition(".")
    if not rest:
        return {**data, head: value}
    inner = data.get(head) or {}
    if not isinstance(inner, dict):
        raise ConfigError(f"{source}: {_NO_SECTION.format(head)}")
    return {**data, head: _replaced(inner, rest, value, source)}


def explain_option(problem: Any, options: Mapping[str, str]) -> str | None:
    """Turn a problem of what an option says into a line; return None where no single option says it."""
    location = location_of(problem)
    for key, option in options.items():
        parts = tuple(key.split("."))
        inside = location[len(parts) :]
        if location and parts[: len(location)] == location:
            if problem["type"] in UNKNOWN:
                return f"{option}: {unknown_key(parts, whole=True)}"
            if len(parts) > len(location) and not fields_at(Experiment, location):
                return f"{option}: {_NO_SECTION.format(location[-1])}"
        if location[: len(parts)] == parts:
            place = place_of(inside).removeprefix(", ")
            return f"{option}: {place}{place and ': '}{describe(problem, found=bool(inside))}"
    return None


def explain_together(
    problem: Any, data: dict[str, Any], overrides: Mapping[str, str], options: Mapping[str, str], source: Source
) -> str:
    """Turn a problem into a line that names the file, and those options without which it would not be there."""
    if not overrides or _has(problem, data):
        return explain_at(source, problem)
    needed: list[str] = []
    for key in overrides:
        others = {other: text for other, text in overrides.items() if other != key}
        if not _has(problem, lay_over(data, others, options)):
            needed.append(options[key])
    return f"{source} with {' '.join(needed or options.values())}: {explain(problem)}"


def _has(problem: Any, data: dict[str, Any]) -> bool:
    """Return whether settings have a problem."""
    try:
        Experiment.model_validate(data)
    except ValidationError as error:
        return any((one["loc"], one["msg"]) == (problem["loc"], problem["msg"]) for one in error.errors())
    return False
