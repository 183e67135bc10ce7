"""What software the runs behind a table were made with, by their manifests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from must.data.runs import Run


def starts_of(run: Run) -> list[dict[str, Any]]:
    """Return the starts that a run's result was made by: from the last one that began with epoch 0.

    A manifest from before starts were kept knows the software of the last one only.
    """
    known = run.manifest.get("starts")
    starts = [start for start in known if isinstance(start, dict)] if isinstance(known, list) else []
    made = [start for start in starts if start.get("epoch", 0) is not None]
    begins = [number for number, start in enumerate(made) if start.get("epoch") == 0]
    return made[begins[-1] if begins else 0 :] or [run.manifest]


def commits_of(runs: Sequence[Run]) -> dict[str, bool]:
    """Return the commits that runs were made with -> whether any of their trees had uncommitted changes."""
    commits: dict[str, bool] = {}
    for start in _all_starts(runs):
        commit = str(start.get("git_commit") or "unknown")
        commits[commit] = commits.get(commit, False) or bool(start.get("git_dirty"))
    return dict(sorted(commits.items()))


def containers_of(runs: Sequence[Run]) -> list[str]:
    """Return the digests of the containers that runs were made in; ``none`` stands for no container."""
    digests = set()
    for start in _all_starts(runs):
        container = start.get("container")
        digests.add(str(container.get("digest") or "unknown") if isinstance(container, dict) else "none")
    return sorted(digests)


def processors_of(runs: Sequence[Run]) -> list[str]:
    """Return the names of the processors that runs were made on, as far as their manifests know them."""
    return sorted({str(start["cpu"]) for start in _all_starts(runs) if start.get("cpu")})


def differing_packages(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Return the packages (and Python) of which runs were made with several versions -> these versions."""
    found: dict[str, set[str]] = {}
    for start in _all_starts(runs):
        packages = start.get("packages")
        versions = packages if isinstance(packages, dict) else {}
        for name, version in {"python": start.get("python"), **versions}.items():
            if version is not None:
                found.setdefault(str(name), set()).add(str(version))
    return {name: sorted(versions) for name, versions in sorted(found.items()) if len(versions) > 1}


def software_of(runs: Sequence[Run]) -> list[str]:
    """Describe what runs were made with: their code, the packages that were not the same in all, and the image."""
    commits = [f"{name[:12]}{' with uncommitted changes' if dirty else ''}" for name, dirty in commits_of(runs).items()]
    code = "an unknown commit" if commits[0].startswith("unknown") else f"commit {commits[0]}"
    parts = [f"code at {code}" if len(commits) == 1 else f"code at different commits: {', '.join(commits)}"]
    differing = [f"{name} {', '.join(versions)}" for name, versions in differing_packages(runs).items()]
    parts += [f"different packages: {'; '.join(differing)}"] if differing else []
    images = ["no container" if digest == "none" else digest[:19] for digest in containers_of(runs)]
    if len(images) > 1:
        return [*parts, f"different containers: {', '.join(images)}"]
    return [*parts, images[0] if images == ["no container"] else f"container {images[0]}"]


def _all_starts(runs: Sequence[Run]) -> Iterator[dict[str, Any]]:
    for run in runs:
        yield from starts_of(run)
