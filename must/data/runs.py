"""Which runs of an experiment count, and in what groups: everything that data, tables and figures read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from must.config import Experiment, RunConfig, RunSpec, identity, parse_experiment, parse_recorded, result_settings
from must.config.axes import METHOD_SECTIONS
from must.config.yaml_text import read_yaml
from must.data import controls
from must.data.logs import MEND, EvaluationLog, FloatArray, read_evaluations, read_json, verify_checksum
from must.errors import ConfigError, ResultsError
from must.run_files import CHECKED_LOGS, CONFIG, MANIFEST, RESULT, table


class Status(StrEnum):
    """What a run of the sweep is good for."""

    FINISHED = "finished"
    """All of it is there, under the settings the experiment asks for: it counts."""
    INCOMPLETE = "incomplete"
    """Begun, but without a result: running, interrupted or failed."""
    STALE = "stale"
    """Finished under other settings than the experiment now asks for."""
    MISSING = "missing"
    """Not begun."""


@dataclass(frozen=True, eq=False)  # like a group: what is worked out of one can be kept
class Run:
    """One run of the sweep."""

    spec: RunSpec
    directory: Path
    config: RunConfig
    """The settings that the experiment now asks for."""
    status: Status
    state: str
    """State of an incomplete run by its manifest: running, interrupted, failed, or unknown."""
    manifest: dict[str, Any]
    """Where the run comes from; empty unless it is finished."""
    log: EvaluationLog | None
    """Its evaluations; None unless it is finished."""
    sizes: dict[str, float]
    """Parameters and operations by name, as in ``result.json``; empty unless finished, or where there are none."""

    @property
    def alike(self) -> slice:
        """The evaluations that are one curve: all, or those before the last where that has other episodes."""
        return slice(-1) if self.config.judges_last else slice(None)

    @property
    def seed(self) -> str:
        """Seed of the run, as text."""
        return str(self.spec.seed)


@dataclass(frozen=True, eq=False)  # compared and hashed by what they are: what is worked out of one can be kept
class Group:
    """The runs that differ in their seed only: a row of a table, a line of a figure."""

    settings: dict[str, str]
    """Swept axis -> value as text, without the seed; what the variant of the sweep sets is what it says."""
    runs: tuple[Run, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The K tasks, in the order of the one-hot."""
        return self.runs[0].config.env.task_names

    @property
    def config(self) -> RunConfig:
        """The settings that the runs share; the seed is that of the first."""
        return self.runs[0].config

    @property
    def dense(self) -> bool:
        """Whether tasks have no masks."""
        return self.config.dense

    @property
    def is_multi_task_sac(self) -> bool:
        """Whether this is plain multi-task SAC."""
        return self.config.is_multi_task_sac

    @property
    def finished(self) -> tuple[Run, ...]:
        """The R runs that count."""
        return tuple(run for run in self.runs if run.status is Status.FINISHED)

    @cached_property
    def shared_settings(self) -> dict[str, Any]:
        """The settings that every method reads, without the seed: a control has the same."""
        shared = {key: value for key, value in self._read.items() if key != "method" and key not in METHOD_SECTIONS}
        return shared | {"training": {key: value for key, value in shared["training"].items() if key != "seed"}}

    @property
    def mask_settings(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The settings of masks and of generators that its method reads."""
        return self._read.get("masks", {}), self._read.get("generator", {})

    @cached_property
    def _read(self) -> dict[str, Any]:
        return result_settings(self.config)

    @cached_property
    def success(self) -> FloatArray:
        """(R, E, K) success rates of the runs that count; E is 0 when there are none."""
        logs = [run.log.success for run in self.finished if run.log is not None]
        return np.stack(logs) if logs else np.zeros((0, 0, len(self.tasks)))

    @property
    def curve(self) -> FloatArray:
        """(R, C, K) success rates at the C evaluations that are judged alike, at `curve_steps`; see `Run.alike`."""
        return self.success[:, self.runs[0].alike]

    @property
    def curve_steps(self) -> FloatArray:
        """(C,) environment steps of each task at the evaluations of the curve; the same for every seed."""
        logs = [run.log.env_steps[run.alike] for run in self.finished if run.log is not None]
        return logs[0] / len(self.tasks) if logs else np.zeros(0)

    @property
    def pruning_ratio(self) -> float:
        """Share of the networks that a task does not use; 0 for methods without masks."""
        return 0.0 if self.dense else self.config.masks.pruning_ratio

    @property
    def update_interval(self) -> int | None:
        """Epochs between renewals of the masks; None where masks, if there are any, are never updated."""
        return self.config.masks.update_interval if self.config.learns_masks else None


@dataclass(frozen=True)
class Results:
    """An experiment's runs, as far as they are there."""

    experiment: Experiment
    directory: Path
    """``results/<name>``."""
    groups: tuple[Group, ...]

    @property
    def runs(self) -> tuple[Run, ...]:
        """Every run of the sweep, whatever its status."""
        return tuple(run for group in self.groups for run in group.runs)

    @property
    def finished(self) -> tuple[Run, ...]:
        """Those of them that count."""
        return tuple(run for group in self.groups for run in group.finished)

    @property
    def axes(self) -> tuple[str, ...]:
        """The swept axes, without the seed."""
        return tuple(self.groups[0].settings)

    def final(self, group: Group) -> FloatArray:
        """Return the (R, K) final success of a group's runs that count: the mean of their last evaluations."""
        last = group.success[:, -self.experiment.report.final_evaluations :]
        return np.asarray(last.mean(axis=1)) if group.finished else np.zeros((0, len(group.tasks)))

    def mean_final(self, group: Group) -> float:
        """Return a group's final success, mean over seeds and tasks; less than any success where no run counts."""
        return float(self.final(group).mean()) if group.finished else -1.0

    def control_of(self, group: Group) -> Group | None:
        """Return the group of multi-task SAC to compare a group with, if there is one; see `controls.dense_control`."""
        return controls.dense_control(self.groups, group)

    def static_control_of(self, group: Group) -> Group | None:
        """Return the group of static masks to compare a group with; see `controls.static_control`."""
        return controls.static_control(self.groups, group)


def load_results(experiment: Experiment, results: Path) -> Results:
    """Read the runs of an experiment. Only those that its sweep asks for are looked at.

    Args:
        experiment: The experiment, as it stands now.
        results: Directory that holds ``<name>/runs/...``.

    Raises:
        ResultsError: No run is finished, or a finished one is damaged.
    """
    _require_directory(results)
    directory = results / experiment.name
    grouped: dict[tuple[tuple[str, str], ...], list[Run]] = {}
    for spec in experiment.runs():
        settings = tuple((name, value) for name, value in experiment.settings(spec).items() if name != "seed")
        grouped.setdefault(settings, []).append(_load_run(experiment, spec, directory / "runs" / spec.path))
    groups = tuple(Group(dict(settings), tuple(runs)) for settings, runs in grouped.items())
    loaded = Results(experiment, directory, groups)
    _require_finished(loaded)
    for group in groups:
        _require_same_schedule(group, experiment.report.final_evaluations)
    return loaded


def _require_directory(results: Path) -> None:
    """Raise an error where there can be no runs because of what lies at the place of the results."""
    for path in (*reversed(results.parents), results):
        if path.is_symlink() and not path.exists():
            raise ResultsError(
                f"{path}: is a link to {path.readlink()}, which is not there; make it, or remove the link"
            )
        if path.exists() and not path.is_dir():
            raise ResultsError(f"{path}: is a file; results lie in a directory")


def _load_run(experiment: Experiment, spec: RunSpec, directory: Path) -> Run:
    """Read one run, and decide whether it counts."""
    config = parse_experiment(experiment.model_dump(mode="json"), experiment.overrides(spec)).run_config()
    if not directory.is_dir():
        return Run(spec, directory, config, Status.MISSING, "", {}, None, {})
    if not (directory / RESULT).exists():
        return Run(spec, directory, config, Status.INCOMPLETE, _state(directory), {}, None, {})
    if _identity_of(directory / CONFIG) != identity(config):
        return Run(spec, directory, config, Status.STALE, "", {}, None, {})
    log = read_evaluations(directory / table("eval"), config.env.task_names)
    result = read_json(directory / RESULT)
    checksums = result.get("sha256")
    for name in map(table, CHECKED_LOGS):
        if not isinstance(checksums, dict) or not isinstance(checksums.get(name), str):
            raise ResultsError(f"{directory / 'result.json'}: holds no SHA-256 of {name}. {MEND}")
        verify_checksum(directory / name, checksums[name])
    manifest = read_json(directory / MANIFEST)
    return Run(spec, directory, config, Status.FINISHED, "", manifest, log, result.get("sizes", {}))


def _state(directory: Path) -> str:
    """Return the state of an unfinished run; its manifest may be missing, or torn by whatever ended the run."""
    try:
        return str(read_json(directory / MANIFEST).get("state", "unknown"))
    except ResultsError:
        return "unknown"


def _identity_of(path: Path) -> str | None:
    """Return the identity of a run's own settings; None when they are not valid in this version."""
    try:
        data = read_yaml(path)
    except ConfigError as error:
        raise ResultsError(f"{error}. {MEND}") from None
    try:
        return identity(parse_recorded(data, source=str(path)))
    except ConfigError:
        return None


def _require_finished(results: Results) -> None:
    counts = {status: sum(run.status is status for run in results.runs) for status in Status}
    if counts[Status.FINISHED]:
        return
    given, name = results.directory.parent, results.experiment.name
    if given.absolute().name == name and (given / "runs").is_dir():
        above = given.parent if given.name else given.absolute().parent
        raise ResultsError(f"{given}: is what holds the runs of '{name}'; give the folder above: --results {above}")
    others = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    raise ResultsError(
        f"{results.directory / 'runs'}: no finished run of experiment '{results.experiment.name}' ({others} of "
        f"{len(results.runs)}). Train first: make reproduce CONFIG=<the experiment's YAML file>"
    )


def _require_same_schedule(group: Group, final_evaluations: int) -> None:
    """Check that the seeds of a group were evaluated at the same steps, and often enough."""
    logs = [(run, run.log) for run in group.finished if run.log is not None]
    for run, log in logs:
        path, count = run.directory / table("eval"), len(log.epochs)
        if not np.array_equal(log.env_steps, logs[0][1].env_steps):
            other = logs[0][0].directory / table("eval")
            raise ResultsError(f"{path}: its evaluations are not at the environment steps of those in {other}")
        if count < final_evaluations:
            raise ResultsError(
                f"{path}: holds {count} evaluations, but report.final_evaluations is {final_evaluations}: "
                f"use at most {count}"
            )
