"""The packages that are imported here, held against those that are locked."""

from __future__ import annotations

import re
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from must.checkout import ROOT

MODULES = {"pyyaml": "yaml", "pillow": "PIL", "tensorboardx": "tensorboardX", "pyopengl": "OpenGL", "absl-py": "absl"}
"""The module of a package that goes by another name."""


def locked_versions(root: Path = ROOT, locks: tuple[str, ...] = ("cuda.txt", "tools.txt")) -> dict[str, str]:
    """Return package -> version as locked in a checkout; nothing when must was installed without one."""
    versions: dict[str, str] = {}
    for lock in locks:
        path = root / "containers" / "locks" / lock
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            versions |= dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE))
    return versions


def other_packages(locked: dict[str, str] | None = None) -> list[str]:
    """Return a few words for each package that is not the one that is locked: its name, the version locked, and found.

    Args:
        locked: Package -> version; by default, what a training run needs. One that is not installed does not count.
    """
    wanted = locked_versions(locks=("cuda.txt",)) if locked is None else locked
    return [words for name, version in wanted.items() if (words := _difference(name, version))]


def warning() -> str:
    """Return one line that names all such packages, or an empty text."""
    found = other_packages()
    if not found:
        return ""
    return f"not the packages that are locked, so results may differ: {'; '.join(found)} (unset PYTHONPATH; make setup)"


def _difference(name: str, locked: str) -> str:
    try:
        package = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return ""
    # The local part of a version names the build (2.13.0+cpu), not the code.
    if package.version.partition("+")[0] != locked:
        return f"{name} {locked} is locked, {package.version} found"
    # A folder that comes before on the path has the same name, and need not say its version.
    module = find_spec(MODULES.get(name, name.replace("-", "_")))
    if module is None or module.origin is None:
        return ""
    origin, place = Path(module.origin).resolve(), Path(str(package.locate_file(""))).resolve()
    return "" if origin.is_relative_to(place) else f"{name} {locked} is locked, another found in {origin.parent}"
