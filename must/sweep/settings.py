"""The runs of an experiment in groups that differ in their seed alone, and whether a directory holds one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from must.config import Experiment, RunConfig, RunSpec, identity, parse_experiment, parse_recorded
from must.errors import ConfigError

_SEED = re.compile(r"^  seed: (\d+)$", re.MULTILINE)
"""The seed in a run's ``config.yaml``."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Setting:
    """Everything that one group of runs has in common."""

    values: dict[str, str]
    """Swept axis -> value as text, without the seed."""
    config: RunConfig
    """The settings; the seed is that of the first run."""
    runs: tuple[RunSpec, ...]

    @property
    def name(self) -> str:
        """The values in a line, without those that the setting does not read."""
        shown = [f"{name} {value}" for name, value in self.values.items() if value != "na"]
        return ", ".join(shown).replace("_", " ") or "all"

    @property
    def epochs(self) -> int:
        """Epochs of a run, those of pretraining too."""
        return self.config.training.pretrain_epochs + self.config.training.epochs

    @cached_property
    def identity(self) -> str:
        """Hash of what can change a result, the seed apart."""
        return identity(_without_seed(self.config))


def settings_of(experiment: Experiment) -> list[Setting]:
    """Return the groups of an experiment's runs, in the order of the sweep."""
    grouped: dict[tuple[tuple[str, str], ...], list[RunSpec]] = {}
    for spec in experiment.runs():
        values = tuple((name, value) for name, value in experiment.settings(spec).items() if name != "seed")
        grouped.setdefault(values, []).append(spec)
    data = experiment.model_dump(mode="json")
    return [
        Setting(dict(values), parse_experiment(data, experiment.overrides(runs[0])).run_config(), tuple(runs))
        for values, runs in grouped.items()
    ]


class Identities:
    """Tells whether run directories hold what the experiment asks for; equal configurations are read once."""

    def __init__(self) -> None:
        self._known: dict[str, str | None] = {}

    def holds(self, config: Path, setting: Setting, spec: RunSpec) -> bool:
        """Return whether a run's own ``config.yaml`` has the results of a setting and a seed."""
        try:
            text = config.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return False
        seed = _SEED.search(text)
        if seed is None or int(seed[1]) != spec.seed:
            return False
        shared = _SEED.sub("  seed: 0", text, count=1)
        if shared not in self._known:
            self._known[shared] = _identity(shared)
        return self._known[shared] == setting.identity


def _identity(text: str) -> str | None:
    """Return the identity of a configuration; None when it is none that this version knows."""
    try:
        return identity(_without_seed(parse_recorded(yaml.load(text, _LOADER))))  # noqa: S506 - a safe one
    except (ConfigError, yaml.YAMLError):
        return None


def _without_seed(config: RunConfig) -> RunConfig:
    return config.model_copy(update={"training": config.training.model_copy(update={"seed": 0})})
