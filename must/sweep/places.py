"""Where experiments lie in a directory of results, and what else a user may have named instead."""

from __future__ import annotations

import os
from pathlib import Path

from must.errors import ResultsError
from must.run_files import CONFIG, MANIFEST, RESULT, TEXT_LOG


def experiments_in(results: Path) -> list[Path]:
    """Return the directories of experiments in a directory of results: itself, or those in it.

    Raises:
        ResultsError: There is none, or the directory is something else.
    """
    require_results(results)
    if _is_experiment(results):
        return [results]
    found = sorted(path for path in results.iterdir() if _is_experiment(path))
    if found:
        return found
    for place in (results, *nameless_in(results)[:1]):
        if _has_runs(place):
            raise ResultsError(nameless(place))
    raise ResultsError(
        f"{results}: holds no experiment that was begun; train first (make reproduce), name the experiment's file "
        "(--config), or another folder of results"
    )


def nameless_in(results: Path) -> list[Path]:
    """Return the directories in one of results that have runs, but not the file that says what they belong to."""
    if _is_experiment(results):
        return []
    return sorted(path for path in results.iterdir() if _has_runs(path) and not (path / CONFIG).is_file())


def nameless(place: Path) -> str:
    """Describe such a directory, and what to do."""
    return (
        f"{place}: has runs, but no {CONFIG} that says what they belong to; name the experiment's file: --config FILE"
    )


def place_of(name: str, results: Path) -> Path:
    """Return the directory of an experiment: what a user named, or one of the experiment's name in it.

    It need not be there where the one that it is to lie in is: then nobody has begun the experiment.

    Raises:
        ResultsError: What was named is no directory of results.
    """
    if results.name == name and results.parent.is_dir() and not results.exists():
        return results
    require_results(results)
    return results if results.resolve().name == name or results.name == name else results / name


def require_results(results: Path) -> None:
    """Check that a directory may be one of results.

    Raises:
        ResultsError: It is not there, a file, or that of a run.
    """
    if not results.exists():
        raise ResultsError(f"{results}: is not there; train first (make reproduce), or name the folder of the results")
    if not results.is_dir():
        raise ResultsError(
            f"{results}: is a file; name the folder of the results, and an experiment's file by --config"
        )
    is_run = (results / CONFIG).is_file() and any((results / name).is_file() for name in (RESULT, MANIFEST, TEXT_LOG))
    place = Path(os.path.abspath(results))  # noqa: PTH100 - links are left as they were typed
    for above in (place, *place.parents):
        if above.name == "runs" and (is_run or (above.parent / CONFIG).is_file()):
            what = "is a run" if is_run else "holds runs"
            raise ResultsError(
                f"{results}: {what} of the experiment in {nearest_name(above.parent)}; name that directory"
            )
    if is_run:
        raise ResultsError(f"{results}: is a run of no sweep; its {MANIFEST} and its {TEXT_LOG} say how it stands")


def nearest_name(path: Path) -> str:
    """Return a path as seen from here, unless it lies elsewhere."""
    nearer = os.path.relpath(path)
    return str(path) if nearer.startswith("..") else nearer


def _is_experiment(directory: Path) -> bool:
    return (directory / CONFIG).is_file() and _has_runs(directory) and not (directory / RESULT).exists()


def _has_runs(directory: Path) -> bool:
    return (directory / "runs").is_dir()
