"""What a run's result came from: ``manifest.json``."""

from __future__ import annotations

import json
import logging
import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from must.checkout import git_state
from must.config import RunConfig
from must.environment import cores_here
from must.errors import ConfigError
from must.files import write_atomically
from must.image import image_digest

PACKAGES = ("must", "torch", "metaworld", "mujoco", "gymnasium", "numpy", "scipy", "pydantic", "pyyaml")
"""The packages whose version can change a result."""
_SOFTWARE = ("git_commit", "git_dirty", "packages", "python", "container")
_MACHINE = ("host", "platform", "cpu", "cpu_cores", "gpu", "threads")

log = logging.getLogger("must")


class Manifest:
    """The manifest of a run, written anew at each change of its state.

    ``starts`` holds software, machine, time and first epoch of every start of the run; what lies beside it at the top
    is that of the last one.
    """

    def __init__(self, path: Path, seed: int, device: str, threads: int) -> None:
        """Describe this machine and this process, and write the manifest with the state ``running``.

        Args:
            path: Where it lies. If it is there already, this is a resumed run: its starts are kept.
            seed: The run's seed.
            device: Name of the device that the learner runs on.
            threads: CPU threads of the learner.
        """
        self._path = path
        before = _read_or_set_aside(path)
        now = _now()
        start = {
            **_software(),
            "host": platform.node(),
            "platform": platform.platform(),
            "cpu": cpu_name(),
            "cpu_cores": cores_here(),
            "gpu": device if device != "cpu" else None,
            "threads": threads,
        }
        self._starts = [*_starts(before), {"time": now, "epoch": None, **start}]
        self._content: dict[str, Any] = {
            **start,
            "seed": seed,
            "started": before.get("started", now),
            "resumed": [*before.get("resumed", []), now] if before else [],
            "starts": self._starts,
        }
        self.close("running")

    def goes_on(self, epoch: int) -> None:
        """Record from which epoch this start goes on, and warn if what was before it was made with something else."""
        self._starts[-1]["epoch"] = epoch
        self.close("running")
        earlier = [start for start in self._starts[:-1] if start.get("epoch", 0) is not None]
        if epoch and earlier and (changes := _differences(earlier[-1], self._starts[-1])):
            log.warning(
                "the run goes on with other software than before: %s; its manifest names both, and its bytes may not "
                "be those of an undisturbed run",
                "; ".join(changes),
            )

    def close(self, state: str, error: str | None = None, result: dict[str, Any] | None = None) -> None:
        """Record a state: ``running``, ``finished`` (then with a result), ``interrupted`` or ``failed``."""
        ended = None if state == "running" else _now()
        content = {**self._content, "ended": ended, "state": state, "error": error, "result": result}
        text = json.dumps(content, indent=2) + "\n"
        write_atomically(self._path, lambda file: file.write(text.encode()))


def result_with_this_software(path: Path) -> dict[str, Any] | None:
    """Return the result of a finished run by its manifest, if the run ended with the very software that runs now.

    Software in a git tree that has been changed is never the same: it may have been changed again.
    """
    before, now = _read(path) or {}, _software()
    if now["git_dirty"] or any(before.get(name) != now[name] for name in _SOFTWARE):
        return None
    result = before.get("result")
    return result if isinstance(result, dict) else None


def _software() -> dict[str, Any]:
    return {
        **git_state(),
        "packages": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "container": container(),
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _starts(before: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the starts that a manifest knows; one from before they were kept knows the software of the last only."""
    if not before:
        return []
    starts = before.get("starts")
    if isinstance(starts, list):
        return [start for start in starts if isinstance(start, dict)]
    times = [before.get("started"), *before.get("resumed", [])]
    last = {name: before.get(name) for name in (*_SOFTWARE, *_MACHINE)}
    return [*({"time": time} for time in times[:-1]), {"time": times[-1], **last}]


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Describe what changed between two starts, as far as both are known."""
    old, new = _flat(before), _flat(now)
    return [
        f"{name} {old[name] or 'unknown'} -> {value or 'unknown'}"
        for name, value in new.items()
        if name in old and old[name] != value
    ]


def _flat(start: dict[str, Any]) -> dict[str, str]:
    packages, image = start.get("packages"), start.get("container")
    commit = str(start.get("git_commit") or "unknown")[:12] + (" (changed)" if start.get("git_dirty") else "")
    parts = {"commit": commit} if "git_commit" in start else {}
    if isinstance(packages, dict):
        parts |= {str(name): str(version) for name, version in packages.items()}
    if "container" in start:
        parts["container"] = str(image.get("digest") or "unknown")[:19] if isinstance(image, dict) else "none"
    return parts | {name: str(start[name]) for name in ("python", "cpu") if start.get(name)}


def container() -> dict[str, Any] | None:
    """Return the image that this process runs in and its content digest, or None on the bare host."""
    image = os.environ.get("APPTAINER_CONTAINER")
    return {"image": image, "digest": image_digest(image)} if image else None


def require_container(config: RunConfig) -> None:
    """Refuse to train on the bare host when the configuration asks for the image.

    Raises:
        ConfigError: It does, and this process does not run in one.
    """
    if config.container.required and container() is None:
        raise ConfigError(
            "container.required is true, and this is not inside the image: run the experiment with "
            "snakemake --profile slurm or --profile workflow/profiles/local-apptainer, "
            "or set container.required to false"
        )


def _read(path: Path) -> dict[str, Any] | None:
    """Read a manifest; None where there is none, or it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    sound = isinstance(content, dict) and isinstance(content.get("resumed", []), list)
    return content if sound else None


def _read_or_set_aside(path: Path) -> dict[str, Any]:
    content = _read(path)
    if content is None and path.exists():
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        log.warning("%s is damaged, so what it said of earlier starts is lost; it is now %s", path, aside.name)
    return content or {}


def cpu_name() -> str:
    """Return the name of the CPU's model; with its numbers where a virtual machine hides which one it is."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    return _named_in(text) or platform.machine()


def _named_in(cpuinfo: str) -> str:
    """Return the model's name as in ``/proc/cpuinfo``; empty where it has none."""
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in cpuinfo.splitlines())}
    name = fields.get("model name", "")
    if not name or any(character.isdigit() for character in name) or "cpu family" not in fields:
        return name
    return f"{name} (family {fields['cpu family']}, model {fields.get('model', '?')})"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
