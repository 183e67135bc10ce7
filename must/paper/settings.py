"""The settings of every method of an experiment: what all of them share, and what each has of its own."""

from __future__ import annotations

from typing import Any, NamedTuple

from must.config import result_settings
from must.data import Group, Results
from must.data.names import names_of

_NOT_SHOWN = ("training.seed", "env.tasks", "env.benchmark", "env.n_tasks")
"""The seeds and the tasks are written elsewhere."""


class Settings(NamedTuple):
    """What can change a result, key by key, of the groups of an experiment. Only what a group reads is there."""

    names: list[str]
    """Of the groups."""
    shared: dict[str, str]
    """Key -> value, the same in all groups."""
    partly: dict[str, tuple[str, list[int]]]
    """Key -> value, the same in all groups that read it, and which do."""
    own: list[dict[str, str]]
    """Of each group, key -> value, for the keys that have several values."""


def settings_of(results: Results) -> Settings:
    """Return the settings of all groups."""
    names = names_of(results.groups)
    benchmarks = [group.settings.get("benchmark", "") for group in results.groups]
    if len(set(benchmarks)) > 1:
        names = [f"{name}, {benchmark}" for name, benchmark in zip(names, benchmarks, strict=True)]
    read = [_flat(group) for group in results.groups]
    shared, partly, several = dict[str, str](), dict[str, tuple[str, list[int]]](), set[str]()
    for key in dict.fromkeys(key for each in read for key in each):
        readers = [number for number, each in enumerate(read) if key in each]
        values = {read[number][key] for number in readers}
        if len(values) > 1:
            several.add(key)
        elif len(readers) == len(read):
            shared[key] = values.pop()
        else:
            partly[key] = values.pop(), readers
    own = [{key: value for key, value in each.items() if key in several} for each in read]
    return Settings(names, shared, partly, own)


def _flat(group: Group) -> dict[str, str]:
    flat: dict[str, str] = {"method": group.config.method}
    sections: dict[str, Any] = result_settings(group.config)
    for section, values in sections.items():
        if isinstance(values, dict):
            flat |= {f"{section}.{key}": _text(value) for key, value in values.items()}
        else:
            flat[section] = _text(values)
    return {key: value for key, value in flat.items() if key not in _NOT_SHOWN}


def _text(value: object) -> str:
    """Write a value as a configuration has it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
