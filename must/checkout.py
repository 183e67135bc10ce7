"""The commit of the code that runs."""

from __future__ import annotations

import os
import site
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import must

ROOT = Path(must.__file__).resolve().parent.parent
"""The checkout, when must is installed from one."""
_SHARE = Path("share") / "must"
"""Where a wheel installs what is no module, below the prefix."""
_SECONDS = 30
"""After which git is taken for hung."""


def git_state(root: Path | None = None) -> dict[str, Any]:
    """Return the commit of the source code, and whether it was changed since; an image carries them as variables.

    A commit counts only if it holds this very package at this very place: neither a repository around the checkout nor
    one that a variable of git's points to is meant.

    Args:
        root: The checkout; that of the package that runs when left out.

    Returns:
        ``git_commit`` and ``git_dirty``, both None where there is no commit; ``git_problem`` says why, else None.
    """
    if root is None and "MUST_GIT_COMMIT" in os.environ:
        dirty = os.environ.get("MUST_GIT_DIRTY") == "1"
        return {"git_commit": os.environ["MUST_GIT_COMMIT"], "git_dirty": dirty, "git_problem": None}
    root = ROOT if root is None else root.resolve()
    try:
        top = Path(_git(root, "rev-parse", "--show-toplevel").rstrip("\n"))
        if not top.is_dir() or not top.samefile(root):
            return _none(f"{root} lies inside of another repository")
        commit = _git(root, "rev-parse", "HEAD").strip()
        _git(root, "cat-file", "-e", "HEAD:must/__init__.py")
        dirty = bool(_git(root, "status", "--porcelain", "--", str(root / "must")).strip())
    except subprocess.CalledProcessError as error:
        return _none(" ".join(str(error.stderr).split()) or f"git ended with status {error.returncode}")
    except (OSError, subprocess.SubprocessError) as error:
        return _none(f"git cannot be run: {error}")
    return {"git_commit": commit, "git_dirty": dirty, "git_problem": None}


def shared() -> Path | None:
    """Return the folder with the pipeline (``workflow/``, ``containers/``): the checkout, or what a wheel brought."""
    prefixes = [ROOT, Path(sysconfig.get_path("data")), *([Path(base)] if (base := site.getuserbase()) else [])]
    places = [ROOT, *(prefix / _SHARE for prefix in prefixes)]
    return next((place for place in places if (place / "workflow" / "Snakefile").is_file()), None)


def _none(problem: str) -> dict[str, Any]:
    return {"git_commit": None, "git_dirty": None, "git_problem": problem}


def _git(directory: Path, *arguments: str) -> str:
    # Git refuses a checkout that somebody else owns, lest their settings run programs; but their code runs already.
    command = ["git", "-C", str(directory), "-c", "safe.directory=*", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    return subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=True, timeout=_SECONDS, env=environment
    ).stdout
