"""What a Snakemake profile says of how many runs are trained at a time."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from must.config import Experiment
from must.config.yaml_text import read_yaml
from must.environment import cores_here
from must.errors import ConfigError

LOCAL = "local"


@dataclass(frozen=True)
class Profile:
    """A profile, as far as a plan depends on it."""

    name: str
    executor: str
    cores: int
    """Of a local one: cores that it may use."""
    jobs: int
    """Of one for a cluster: jobs in its queue at a time."""
    in_image: bool
    """Whether jobs run in the image."""
    retries: int

    @property
    def local(self) -> bool:
        """Whether its jobs run on this machine."""
        return self.executor == LOCAL

    def at_once(self, experiment: Experiment) -> int:
        """Return how many runs of an experiment are trained at a time, at most."""
        return runs_at_once(experiment, cores=self.cores) if self.local else runs_at_once(experiment, jobs=self.jobs)


def runs_at_once(experiment: Experiment, cores: int | None = None, jobs: int = 1) -> int:
    """Return how many runs of an experiment are trained at a time, at most.

    Args:
        experiment: The experiment.
        cores: Of this machine, where its jobs run here.
        jobs: In a cluster's queue at a time, where they run there.
    """
    together, threads = experiment.resources.runs_per_job, experiment.training.cores
    if cores is None:
        return jobs * together
    # Snakemake scales a job down that asks for more cores than there are.
    return max(1, min(cores // threads, max(1, cores // (threads * together)) * together))


def this_machine() -> Profile:
    """Return the profile of this machine without any: all cores, no image."""
    return Profile("this machine", LOCAL, cores_here(), 1, False, 0)


def read_profile(name: str) -> Profile:
    """Read a profile as Snakemake finds it: a path, or a name in the user's or the site's configuration.

    Raises:
        ConfigError: There is none, or it cannot be read.
    """
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    places = [Path(name), Path(config, "snakemake", name), Path("/etc/xdg/snakemake", name)]
    folder = next((place for place in places if place.is_dir()), None)
    if folder is None:
        raise ConfigError(f"--profile {name}: no such folder; workflow/profiles/ holds the profiles")
    versions = [
        (int(match[1]), path)
        for path in folder.iterdir()
        if (match := re.fullmatch(r"config\.v(\d+)\+\.yaml", path.name))
    ]
    path = max(versions)[1] if versions else folder / "config.yaml"
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected keys such as 'executor:' and 'jobs:'")
    local = str(data.get("executor", LOCAL)) == LOCAL
    methods = data.get("software-deployment-method", data.get("sdm")) or []
    return Profile(
        Path(name).name,
        str(data.get("executor", LOCAL)),
        _number(path, data, "cores", cores_here()) if local else 1,
        1 if local else _number(path, data, "jobs", 1),
        "apptainer" in ([methods] if isinstance(methods, str) else methods),
        _number(path, data, "retries", 0),
    )


def _number(path: Path, data: dict[str, Any], key: str, default: int) -> int:
    value = data.get(key, default)
    if value in ("all", "unlimited"):
        return default if key == "cores" else 10**6
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigError(f"{path}: {key}: expected a number, found {value!r}")
    return min(value, cores_here()) if key == "cores" else value
