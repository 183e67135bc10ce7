"""What a run's result came from: ``manifest.json``."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import must
from must.config import RunConfig
from must.errors import ConfigError
from must.files import write_atomically
from must.image import image_digest

PACKAGES = ("must", "torch", "metaworld", "mujoco", "gymnasium", "numpy", "pydantic", "pyyaml")
"""The packages whose version can change a result."""


class Manifest:
    """The manifest of a run, written anew at each change of its state."""

    def __init__(self, path: Path, seed: int, device: str) -> None:
        """Describe this machine and this process, and write the manifest with the state ``running``.

        Args:
            path: Where it lies. If it is there already, this is a resumed run: its start is kept.
            seed: The run's seed.
            device: Name of the device that the learner runs on.
        """
        self._path = path
        before = _read(path)
        now = _now()
        self._content: dict[str, Any] = {
            **_software(),
            "host": platform.node(),
            "platform": platform.platform(),
            "cpu": cpu_name(),
            "cpu_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "gpu": device if device != "cpu" else None,
            "seed": seed,
            "started": before.get("started", now),
            "resumed": [*before.get("resumed", []), now] if before else [],
        }
        self.close("running")

    def close(self, state: str, error: str | None = None, result: dict[str, Any] | None = None) -> None:
        """Record a state: ``running``, ``finished`` (then with a result), ``interrupted`` or ``failed``."""
        ended = None if state == "running" else _now()
        content = {**self._content, "ended": ended, "state": state, "error": error, "result": result}
        text = json.dumps(content, indent=2) + "\n"
        write_atomically(self._path, lambda file: file.write(text.encode()))


def result_with_this_software(path: Path) -> dict[str, Any] | None:
    """Give the result of a finished run by its manifest, if the run ended with the very software that runs now.

    Software in a git tree that has been changed is never the same: it may have been changed again.
    """
    before, now = _read(path), _software()
    if now["git_dirty"] or any(before.get(name) != value for name, value in now.items()):
        return None
    return before.get("result")


def _software() -> dict[str, Any]:
    return {
        **git_state(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "container": container(),
    }


def git_state() -> dict[str, Any]:
    """Give the commit of the source code, and whether it was changed since; an image carries them as variables."""
    if "MUST_GIT_COMMIT" in os.environ:
        return {"git_commit": os.environ["MUST_GIT_COMMIT"], "git_dirty": os.environ.get("MUST_GIT_DIRTY") == "1"}
    source = Path(must.__file__).resolve().parent
    try:
        commit = _git(source, "rev-parse", "HEAD").strip()
        dirty = bool(_git(source, "status", "--porcelain", "--", str(source)).strip())
    except (OSError, subprocess.CalledProcessError):
        return {"git_commit": None, "git_dirty": None}
    return {"git_commit": commit, "git_dirty": dirty}


def container() -> dict[str, Any] | None:
    """Give the image that this process runs in and its content digest, or None on the bare host."""
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


def _git(directory: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(directory), *arguments], capture_output=True, text=True, check=True, timeout=30
    ).stdout


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def cpu_name() -> str:
    """Give the name of the CPU's model."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
