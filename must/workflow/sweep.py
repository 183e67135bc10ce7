"""The sweep behind a configuration: its runs, what each of them is started with, and how they are dealt to jobs."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from must.config import Experiment, dump, identity, parse_experiment, parse_sweep, read_recorded
from must.config.options import ORIGINAL_OPTIONS, option_flag
from must.config.run_spec import deal
from must.config.yaml_text import parse_yaml, read_yaml
from must.errors import ConfigError, MustError
from must.run_files import CONFIG, RESULT

OPTIONS = {key: option_flag(name) for name, (key, *_) in ORIGINAL_OPTIONS.items()}
"""Settings that `must train` takes through an option of their own; the others go through ``--set``."""


def read_configuration(files: Iterable[Path], assignments: Iterable[str] = ()) -> dict[str, Any]:
    """Return merged experiment files and ``KEY=VALUE`` assignments, of which the later ones win, read as `must` does.

    (Snakemake reads YAML 1.1, and of two equal keys it drops one.)

    Raises:
        ConfigError: Something is not YAML, or names a key twice.
    """
    merged: dict[str, Any] = {}
    for path in files:
        data = read_yaml(path)
        _merge(merged, data if isinstance(data, dict) else {})
    for entry in assignments:
        key, _, text = entry.partition("=")
        _merge(merged, {key: parse_yaml(text, source=f"--config {entry}")})
    return merged


def _merge(into: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Take over changes (in place), key by key at every depth."""
    for key, value in changes.items():
        inner = into.get(key)
        if isinstance(value, Mapping) and isinstance(inner, dict):
            _merge(inner, value)
        else:
            into[key] = value


@dataclass(frozen=True)
class Run:
    """One training run of a sweep."""

    path: str
    """Its directory, below ``results/<name>/runs/``."""
    options: tuple[str, ...]
    """Options of `must train` that set it apart from the rest of its sweep."""
    identity: str
    """Hash of the settings that it depends on: it is trained again when they change, and only then."""


@dataclass(frozen=True)
class Sweep:
    """An experiment and its runs."""

    experiment: Experiment
    runs: dict[str, Run]
    """Path -> run."""
    finished: set[str] = field(default_factory=set)
    """Those that are known to be finished (`is_finished`)."""

    @classmethod
    def parse(cls, config: Mapping[str, Any], source: str) -> Sweep:
        """Validate a configuration, and every run of its sweep.

        Raises:
            ConfigError: Something in it cannot be; the message begins with ``source`` or the run.
        """
        experiment = parse_sweep(config, source=source)
        runs = {}
        for spec in experiment.runs():
            overrides = experiment.overrides(spec)
            settings = parse_experiment(config, overrides, source=f"run {spec.path}").run_config()
            runs[spec.path] = Run(spec.path, _train_options(overrides), identity(settings))
        return cls(experiment, runs)

    def require_image(self, in_image: bool) -> None:
        """Check that the experiment may run where its jobs will.

        Raises:
            ConfigError: It may not.
        """
        if self.experiment.container.required and not in_image:
            raise ConfigError(
                "container.required is true, but Snakemake was not asked to use the image: run it with --profile slurm "
                "or --profile workflow/profiles/local-apptainer, or set container.required to false"
            )

    @property
    def digest(self) -> str:
        """Hash of the merged configuration, all of it."""
        return hashlib.sha256(dump(self.experiment).encode()).hexdigest()[:16]

    @property
    def image_flavour(self) -> str:
        """Flavour of the image that the experiment runs in: ``cpu`` or ``cuda``."""
        asked = self.experiment.container.flavour
        if asked != "auto":
            return asked
        return "cuda" if self.experiment.resources.gpus else "cpu"

    def resources(self, runs: int) -> dict[str, Any]:
        """Return the resources of a job that trains so many runs side by side; each attempt asks for more."""
        asked = self.experiment.resources
        longest = asked.max_minutes or float("inf")
        return {
            "mem_mb": lambda _, attempt: asked.mem_mb * runs * attempt,
            "runtime": lambda _, attempt: min(asked.minutes * attempt, longest),
            **({"gres": f"gpu:{asked.gpus}"} if asked.gpus else {}),
        }

    def is_finished(self, path: str, runs_dir: Path) -> bool:
        """Return whether a run is finished, and was trained with the settings that it has now."""
        if path not in self.finished and _holds(runs_dir / path, self.runs[path].identity):
            self.finished.add(path)
        return path in self.finished


def _train_options(overrides: Mapping[str, str]) -> tuple[str, ...]:
    options: list[str] = []
    for key, value in overrides.items():
        options += [OPTIONS[key], value] if key in OPTIONS else ["--set", f"{key}={value}"]
    return tuple(options)


def _holds(run_dir: Path, wanted: str) -> bool:
    """Return whether a directory holds a finished run of an identity."""
    if not (run_dir / RESULT).exists():
        return False
    try:
        return identity(read_recorded(run_dir / CONFIG)) == wanted
    except (MustError, OSError):
        return False


class Batches:
    """Jobs that train several runs each, side by side, and which of them there is something to do for.

    The runs are dealt in the same way by whoever asks: a job finds its runs by its name, whatever has been finished
    since it was submitted.
    """

    def __init__(self, sweep: Sweep, results: Path, size: int) -> None:
        """Deal the runs.

        Args:
            sweep: The runs.
            results: ``results/<name>``.
            size: Runs of a job.
        """
        self._sweep, self._size, self._runs_dir, self._reports = sweep, size, results / "runs", results / "batches"
        dealt = deal(sweep.experiment.runs(), size)
        self._jobs = {number: [sweep.runs[path] for path in paths] for number, paths in dealt.items()}
        self._reported: dict[str, str] = {}

    def runs(self, name: str) -> list[Run]:
        """Return the runs of a job, by its name."""
        return self._jobs.get(name.partition("-")[0], [])

    def arguments(self, name: str) -> list[str]:
        """Return the runs of a job as its script takes them: path, options, path, options, ..."""
        return [argument for run in self.runs(name) for argument in (run.path, shlex.join(run.options))]

    def outcomes(self, wanted: Callable[[Run], bool]) -> list[Path]:
        """Return what says that all runs are finished: results, and where there are none yet, the reports of jobs.

        Args:
            wanted: Says which runs a job of this kind may train; the results of the others are asked for in any case.
        """
        found: list[Path] = []
        for number, runs in self._jobs.items():
            if any(wanted(run) and not self._sweep.is_finished(run.path, self._runs_dir) for run in runs):
                found.append(self._report(number))
            else:
                found += [self._runs_dir / run.path / RESULT for run in runs]
        return found

    @property
    def trained(self) -> list[Path]:
        """The results of runs that there was something to do for when `outcomes` was first asked, and no longer is."""
        reported = [run for number in self._reported for run in self._jobs[number]]
        return [self._runs_dir / run.path / RESULT for run in reported if run.path in self._sweep.finished]

    def _report(self, number: str) -> Path:
        """Return the report that a job is to write: one that no job has written yet, when it is first asked for."""
        if number not in self._reported:
            names = [f"{number}-{self._size}", *(f"{number}-{self._size}.{again}" for again in range(1, 1000))]
            self._reported[number] = next(name for name in names if not (self._reports / f"{name}.json").exists())
        return self._reports / f"{self._reported[number]}.json"
