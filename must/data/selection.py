"""Which run is shown when only one can be, and which settings a user means by their names."""

from __future__ import annotations

from pathlib import Path

from must.config import load_sweep
from must.data.names import names_of
from must.data.runs import Group, Results, Run, load_results
from must.errors import ConfigError, ResultsError
from must.run_files import CONFIG
from must.words import count_of


def best_run(results: Results) -> Run:
    """Return the finished run with the highest final success, mean over its tasks; of equals, the first in the sweep.

    One run is no evidence: it is for looking at, never for a number in a table.
    """
    found = [
        (float(final.mean()), run)
        for group in results.groups
        for final, run in zip(results.final(group), group.finished, strict=True)
    ]
    return max(found, key=lambda each: each[0])[1]


def find_settings(places: list[str], config: Path | None, results: Path) -> list[tuple[str, Results, Group]]:
    """Return the name of each of some settings, the experiment that it belongs to, and its runs.

    Args:
        places: Each the name of a setting, as tables have it; or ``DIRECTORY:NAME``, or ``DIRECTORY`` alone where its
            experiment has one setting only, with the directory of an experiment, such as ``results/quick``.
        config: The experiment of names without a directory.
        results: Where its results lie.

    Raises:
        ConfigError: There is no such setting, or no such directory.
        ResultsError: A setting has no finished run.
    """
    found, loaded = [], dict[Path, Results]()
    for place in places:
        directory, name = _split(place)
        source = config if directory is None else directory / CONFIG
        if source is None:
            raise ConfigError(f"{place}: name the experiment with --config FILE, or write DIRECTORY:{place}")
        if source not in loaded:
            loaded[source] = load_results(load_sweep(source), results if directory is None else directory.parent)
        group, label = _group(loaded[source], name, place)
        if not group.finished:
            raise ResultsError(f"{place}: none of its {count_of(len(group.runs), 'run')} is finished; train it first")
        found.append((label, loaded[source], group))
    return found


def _split(place: str) -> tuple[Path | None, str]:
    """Return the directory that is named, if one is, and the setting."""
    before, colon, after = place.rpartition(":")
    if colon and Path(before).is_dir():
        return Path(before), after.strip()
    return (Path(place), "") if place and Path(place).is_dir() else (None, place.strip())


def _group(results: Results, name: str, place: str) -> tuple[Group, str]:
    names = names_of(results.groups)
    known = {each.lower(): at for at, each in enumerate(names)}
    if not name and len(names) == 1:
        return results.groups[0], names[0]
    if name.lower() not in known:
        listed = "; ".join(names)
        raise ConfigError(f"{place}: is no setting of experiment '{results.experiment.name}'; it has: {listed}")
    return results.groups[known[name.lower()]], names[known[name.lower()]]
