"""What is wrong with a configuration, in words: where it is, and what to write instead of what was found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from must.config.experiment import Experiment
from must.config.keys import field_at, fields_at, suggest_key
from must.config.variants import to_yaml
from must.config.yaml_text import Source
from must.sections import Section, bounds_of, section_of, suggest

_MISSING = {"env": "name the tasks, such as env: {benchmark: MT10}"}
"""Section that must be there -> what to write."""
_EXAMPLES = {
    "env": "benchmark: MT10",
    "sweep": "seeds: [0, 1]",
    "sweep.variants": "static: {method: static_sparse}",
    "sweep.fewer_seeds": "dense: 3",
    "sweep.grid": "sac.lr: [3e-4, 1e-3]",
}
"""What may stand below a key. In other sections it is the first key that has a default."""
_CHARACTERS = {
    "name": "use letters, digits, - and _, the first of them a letter or a digit",
    "logging.wandb_project": r"use none of / \ # ? % : and do not begin with a blank",
}
"""Text of certain characters -> which ones."""
_NUMBERS = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
}
"""Kinds of pydantic's problems -> what to use instead."""
UNKNOWN = ("extra_forbidden", "invalid_key")
"""Kinds of pydantic's problems that are keys nobody knows."""
_LIMITS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")


def explain(problem: Any) -> str:
    """Turn one of pydantic's problems into a line: where it is, what is wrong, and what to write instead."""
    where = place_of(location_of(problem))
    if problem["type"] == "missing":
        return f"{where} is missing: {_MISSING.get(where, 'write it')}"
    return f"{where}: {describe(problem)}" if where else describe(problem)


def explain_at(source: Source, problem: Any) -> str:
    """Turn one of pydantic's problems into a line as `explain` does, behind the file and the line in it."""
    return f"{source.at(location_of(problem))}: {explain(problem)}"


def location_of(problem: Any) -> tuple[int | str, ...]:
    """Return the keys and items that lead to a problem; a key that is a number is text here, an item is none."""
    *above, last = problem["loc"] or ("",)
    if problem["type"] == "string_type" and last == "[key]":
        *above, last = above
    elif problem["type"] != "invalid_key":
        return tuple(problem["loc"])
    return (*above, str(last))


def place_of(location: Sequence[int | str]) -> str:
    """Return where a problem is, such as ``sac.gamma`` or ``sweep.seeds, item 2``; items are counted from 1."""
    place = ""
    for part in location:
        separator = ", item " if isinstance(part, int) else "." if place else ""
        place += f"{separator}{part + 1 if isinstance(part, int) else part}"
    return place


def describe(problem: Any, found: bool = True) -> str:
    """Describe what is wrong, and what to write instead; `explain` says where as well.

    Args:
        problem: One of pydantic's.
        found: Whether to say what was found.
    """
    location, kind, given = problem["loc"], problem["type"], problem["input"]
    if kind in UNKNOWN:
        return unknown_key(location)
    if not (location and found) or (isinstance(given, (dict, Section)) and kind in ("value_error", "too_short")):
        return _instead(problem) + _nearest(problem)
    return f"{_instead(problem)} (found {_shown(given)}){_nearest(problem)}"


def unknown_key(location: Sequence[int | str], whole: bool = False) -> str:
    """Describe that a key is unknown, with the one that is meant, or else those that are known.

    Args:
        location: The parts of the key.
        whole: Write the key that is meant with its section in any case.
    """
    known = fields_at(Experiment, location[:-1]) or list(Experiment.model_fields)
    return "unknown key" + (suggest_key(Experiment, location, whole) or f"; known here: {', '.join(known)}")


def _instead(problem: Any) -> str:
    """Return what to write instead."""
    location, kind, given, facts = problem["loc"], problem["type"], problem["input"], problem.get("ctx", {})
    place = place_of(location)
    limits = _limits(location)
    if kind in _LIMITS and limits:
        return f"use {limits}"
    if kind in _NUMBERS:
        return f"use {_NUMBERS[kind]}{limits and ', '}{limits}"
    if kind in ("bool_type", "bool_parsing"):
        return "write true or false"
    if kind == "literal_error":
        return f"use {facts['expected'].replace('True', 'true').replace('False', 'false')}"
    if kind in ("model_type", "dict_type"):
        remove = ", or remove it" if given is None and place not in _MISSING else ""
        return f"write keys below it, such as {_example(location)}{remove}"
    if kind == "list_type":
        return "write a list" + (f", such as [{to_yaml(given)}]" if isinstance(given, (str, int, float)) else "")
    if kind == "too_short":
        return "list at least one value" if isinstance(given, list) else "write at least one, or remove it"
    if kind == "string_type":
        return "write text" + (f", in quotes: '{to_yaml(given)}'" if isinstance(given, (int, float)) else "")
    if kind == "string_too_short":
        return "write at least one character, or remove it"
    if kind == "string_too_long":
        return f"write at most {facts['max_length']} characters"
    if kind == "string_pattern_mismatch" and place in _CHARACTERS:
        return _CHARACTERS[place]
    return str(problem["msg"]).removeprefix("Value error, ")


def _limits(location: Sequence[int | str]) -> str:
    """Describe the limits of the numbers at a place, such as ``at least 0 and less than 1``."""
    field = field_at(Experiment, location)
    bounds = {keyword: f"{limit:g}" for keyword, limit in bounds_of(field).items()} if field else {}
    least, most = bounds.get("minimum"), bounds.get("maximum")
    if least and most:
        return f"{least} to {most}"
    if least and len(bounds) == 1:
        return f"{least} or more"
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "more than",
        "exclusiveMaximum": "less than",
        "maximum": "at most",
    }
    return " and ".join(f"{text} {bounds[keyword]}" for keyword, text in words.items() if keyword in bounds)


def _example(location: Sequence[int | str]) -> str:
    """Return something that may stand below a key."""
    place = place_of(location)
    if place in _EXAMPLES:
        return _EXAMPLES[place]
    field = field_at(Experiment, location)
    section = section_of(field) if field else None
    for name, inner in section.model_fields.items() if section else ():
        if inner.default is not None:
            return f"{name}: {to_yaml(inner.default)}"
    return "sac.lr: 1e-4"  # of a variant


def _nearest(problem: Any) -> str:
    """Return which of the words that may stand at a place is meant, where one is near."""
    if problem["type"] != "literal_error" or not isinstance(problem["input"], str):
        return ""
    return suggest(problem["input"], re.findall(r"'([^']*)'", problem["ctx"]["expected"]))


def _shown(value: Any) -> str:
    """Return what was found as it stands in a file, shortened."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "keys below it"
    return f"{to_yaml(value):.200}" if isinstance(value, (bool, list)) else f"{value!r:.200}"
