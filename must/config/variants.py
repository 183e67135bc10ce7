"""The named settings of a sweep, `sweep.variants`: which keys they may set, and how their values are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from must.config.axes import own_axis
from must.config.keys import suggest_key
from must.config.methods import METHODS
from must.config.schema import RunConfig
from must.config.yaml_text import write_yaml
from must.sections import Section, suggest

if TYPE_CHECKING:
    from must.config.experiment import Experiment

_WHOLE = "is the same for the whole experiment; remove it"
_JUDGED = "all variants are trained on the same tasks and judged alike, so that they can be compared; remove it"
_KEPT = {
    "name": _WHOLE,
    "sweep": _WHOLE,
    "report": _WHOLE,
    "resources": _WHOLE,
    "logging": _WHOLE,
    "container": _WHOLE,
    "training.threads": _WHOLE,
    "training.n_workers": _WHOLE,
    "training.seed": "every variant is trained with the seeds of sweep.seeds, or the first of them (sweep.fewer_seeds)",
    "evaluation": _JUDGED,
    "env.benchmark": _JUDGED,
    "env.n_tasks": _JUDGED,
    "env.tasks": _JUDGED,
    "env.goals": _JUDGED,
    "env.reward": _JUDGED,
    "env.horizon": _JUDGED,
}
"""Keys and sections that a variant may not set -> why."""


def to_yaml(value: Any) -> str:
    """Write a value as it is typed after ``--set``: ``null``, ``[12, 9]``, ``1.0e-05``."""
    return write_yaml(value, default_flow_style=True, width=float("inf")).removesuffix("\n").removesuffix("\n...")


def key_problems(experiment: Experiment) -> Iterator[str]:
    """Find variants with a key that they may not set, that is unknown, or that no method they are trained with reads.

    Yields:
        For each, where it is, what is wrong, and what to write instead.
    """
    sweep = experiment.sweep
    for name, settings in (sweep.variants or {}).items():
        place = f"sweep.variants.{name}"
        method = settings.get("method")
        if "method" in settings and sweep.methods:
            yield (
                f"{place}.method: sweep.methods sweeps the method already; "
                "remove sweep.methods and give each variant its method"
            )
        if "method" in settings and (not isinstance(method, str) or method not in METHODS):
            yield f"{place}.method: unknown method {method!r}{suggest(str(method), METHODS)}"
            continue
        for key in settings:
            problem = _problem(key, experiment.methods_of(name), experiment)
            if problem:
                yield f"{place}.{key}: {problem}"


def grid_problems(experiment: Experiment) -> Iterator[str]:
    """Find keys of the grid that cannot be swept there, that are unknown, or that no method of the experiment reads.

    Unlike a variant, a value of the grid may change the tasks: runs are compared with a control on the same ones.

    Yields:
        For each, where it is, what is wrong, and what to write instead.
    """
    for key in experiment.sweep.grid or {}:
        own = own_axis(key)
        if own is not None:
            yield f"sweep.grid.{key}: has a list of its own; write its values in sweep.{own.sweep_key}"
        elif not (key.startswith("env.") and key in _KEPT) and (
            problem := _problem(key, experiment.methods, experiment)
        ):
            yield f"sweep.grid.{key}: {problem}"


def _problem(key: str, methods: tuple[str, ...], experiment: Experiment) -> str:
    """Describe why a variant of these methods may not set a key; nothing if it may."""
    section, _, rest = key.partition(".")
    kept = _KEPT.get(section) or _KEPT.get(key)
    if kept:
        return kept
    if section not in RunConfig.model_fields:
        return f"unknown key{suggest_key(RunConfig, key.split('.'))}"
    kind = RunConfig.model_fields[section].annotation
    if not (isinstance(kind, type) and issubclass(kind, Section)):
        return f"unknown key; write {section}" if rest else ""
    if not rest:
        return f"is a section; write its keys one by one, such as {section}.{next(iter(kind.model_fields))}: VALUE"
    if rest not in kind.model_fields:
        return f"unknown key{suggest_key(RunConfig, [section, rest])}"
    readers = [name for name, spec in METHODS.items() if spec.reads_key(key)]
    if readers and not set(readers) & set(methods) and not experiment.chosen_reads(section):
        return f"is read by method: {', '.join(readers)} only; the variant trains {', '.join(methods)}; remove it"
    return ""
