"""The settings of every method of an experiment: what all of them share, and what each has of its own."""

from __future__ import annotations

from typing import Any

from must.config import result_settings
from must.data import Group, Results
from must.data.names import names_of

_NOT_SHOWN = ("training.seed", "env.tasks", "env.benchmark", "env.n_tasks")
"""The seeds and the tasks are written elsewhere."""


def settings_of(results: Results) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return what can change a result: the settings that all groups share, and name of each group -> the others.

    Only what a method reads is there.
    """
    names = names_of(results.groups)
    benchmarks = [group.settings.get("benchmark", "") for group in results.groups]
    if len(set(benchmarks)) > 1:
        names = [f"{name}, {benchmark}" for name, benchmark in zip(names, benchmarks, strict=True)]
    read = [_flat(group) for group in results.groups]
    shared = {key: value for key, value in read[0].items() if all(each.get(key) == value for each in read)}
    own = [{key: value for key, value in each.items() if key not in shared} for each in read]
    return shared, dict(zip(names, own, strict=True))


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
