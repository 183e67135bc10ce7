"""Whether the tables of an archive are those that its logs give."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import must
from must.config import load_sweep
from must.config.yaml_text import read_yaml
from must.data.logs import read_json
from must.errors import ConfigError, ResultsError
from must.export.archive import unpack
from must.export.crate import SOFTWARE
from must.export.layout import EXPERIMENT, METADATA, RESULTS

COMPARED = ("data", "tables")
MOST_RUNS = 20_000
CLOSE = 1.5e-6
"""Difference of two numbers, or of their ratio from 1, that is rounding: tables for machines have six decimals, and
another CPU adds up in another order."""
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Verdict:
    """What came out."""

    compared: tuple[str, ...]
    """Names of the tables that were made anew."""
    rounded: tuple[str, ...]
    """Those that are the same but for the last digits of some numbers."""
    differences: tuple[str, ...]
    """A line for each table that is another one; none if all are the same."""
    made_by: str
    """Version of must that wrote the archive."""

    @property
    def same(self) -> bool:
        """Whether all tables follow from the logs."""
        return not self.differences

    def __str__(self) -> str:
        count = len(self.compared)
        if not self.same:
            return f"{len(self.differences)} of {count} tables differ{_versions(self.made_by)}"
        last = f", {len(self.rounded)} of them but for the last digits of some numbers" if self.rounded else ""
        return f"all {count} tables are what its logs give{last}; all checksums fit"


def verify(archive: Path) -> Verdict:
    """Make every table of an archive anew from the logs in it, in a directory of its own, and compare.

    Args:
        archive: Of whatever origin; nothing in it is trusted.

    Raises:
        ResultsError: It is not an archive of ``must export``, or it is damaged: checksums or logs do not fit.
    """
    with TemporaryDirectory(prefix="must-verify-") as scratch:
        place = Path(scratch) / "archive"
        place.mkdir()
        unpack(archive, place)
        try:
            return _compare(place, Path(scratch) / "again")
        except (ConfigError, ResultsError) as error:
            text = str(error).replace(f"{place}/", "").replace(f"{Path(scratch) / 'again'}", RESULTS)
            raise ResultsError(f"{archive}: {text}{_versions(_made_by(place / METADATA))}") from None
        except (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError) as e:
            reason = f"{type(e).__name__}: {' '.join(str(e).split())[:80]}"
            raise ResultsError(f"{archive}: its logs are not what must train writes ({reason})") from None


def _compare(place: Path, again: Path) -> Verdict:
    from must.analysis import aggregate

    for path in sorted(place.rglob("*.yaml")):
        _check_size(path)
    _check_sweep(read_yaml(place / EXPERIMENT), place / EXPERIMENT)
    experiment = load_sweep(place / EXPERIMENT)
    own = place / RESULTS / experiment.name
    again.mkdir()
    (again / experiment.name).mkdir()
    (again / experiment.name / "runs").symlink_to(own / "runs", target_is_directory=True)
    made = {path.relative_to(again / experiment.name).as_posix(): path for path in aggregate(experiment, again)}
    files = (path for name in COMPARED for path in (own / name).rglob("*") if path.is_file())
    held = {path.relative_to(own).as_posix(): path for path in files}
    rounded, differences = list[str](), list[str]()
    for name in sorted(made.keys() | held.keys()):
        if name not in made:
            differences.append(f"{name}: does not come from these logs")
        elif name not in held:
            differences.append(f"{name}: is missing")
        elif held[name].read_bytes() != made[name].read_bytes():
            difference = _difference(held[name], made[name])
            (differences if difference else rounded).append(f"{name}: {difference}" if difference else name)
    if not (place / METADATA).is_file():
        raise ResultsError(f"{METADATA}: is missing")
    return Verdict(tuple(sorted(made)), tuple(rounded), tuple(differences), _made_by(place / METADATA))


def _difference(held: Path, made: Path) -> str:
    """Describe the first line in which two tables differ by more than rounding; nothing if there is none."""
    text: dict[str, Any] = {"encoding": "utf-8", "errors": "replace", "newline": ""}  # other ends of lines count
    with held.open(**text) as one, made.open(**text) as other:
        for number, (before, now) in enumerate(zip_longest(one, other), start=1):
            if before == now or (before is not None and now is not None and _close(before, now)):
                continue
            if before is None or now is None:
                return f"line {number}: is {'missing' if before is None else 'one too many'}"
            return f"line {number}: the archive has {_around(before, now)!r}, its logs give {_around(now, before)!r}"
    return ""


def _close(before: str, now: str) -> bool:
    """Whether two lines have the same words, and numbers that differ by rounding only."""
    if _NUMBER.split(before) != _NUMBER.split(now):
        return False
    pairs = zip(_NUMBER.findall(before), _NUMBER.findall(now), strict=True)
    return all(
        a == b or ("." in a + b and math.isclose(float(a), float(b), rel_tol=CLOSE, abs_tol=CLOSE)) for a, b in pairs
    )


def _around(line: str, other: str, width: int = 60) -> str:
    """Return a piece of a line, from shortly before the place where another one differs."""
    first = next((at for at, (a, b) in enumerate(zip(line, other, strict=False)) if a != b), min(len(line), len(other)))
    return line.rstrip("\n")[max(0, first - width // 2) : first + width // 2]


def _check_size(path: Path, most: int = 100_000) -> None:
    """Refuse YAML that is large, or endless when it is written out: aliases of aliases.

    Raises:
        ResultsError: It is such a file.
    """
    known: dict[int, int] = {}

    def size(value: Any) -> int:
        if not isinstance(value, dict | list):
            return 1
        if id(value) not in known:
            known[id(value)] = 1 + sum(map(size, value.values() if isinstance(value, dict) else value))
        return known[id(value)]

    if path.stat().st_size > most or size(read_yaml(path)) > most:
        raise ResultsError(f"{path}: holds more than {most} values, which no experiment has")


def _check_sweep(data: Any, path: Path) -> None:
    """Refuse a sweep of more runs than anybody trains, before it is expanded.

    Raises:
        ResultsError: It is such a sweep.
    """
    sweep = data.get("sweep") if isinstance(data, dict) else None
    axes = dict(sweep) if isinstance(sweep, dict) else {}
    grid = axes.pop("grid", None)
    axes |= {f"grid {key}": values for key, values in grid.items()} if isinstance(grid, dict) else {}
    runs = math.prod(max(1, len(each)) for each in axes.values() if isinstance(each, list | dict))
    if runs > MOST_RUNS:
        raise ResultsError(f"{path}: asks for {runs} runs, more than {MOST_RUNS}")


def _made_by(path: Path) -> str:
    """Return the version of must that wrote an archive, as far as it says so."""
    try:
        graph = read_json(path).get("@graph")
    except ResultsError:
        return "unknown"
    entities = [each for each in graph if isinstance(each, dict)] if isinstance(graph, list) else []
    version = next((each.get("softwareVersion") for each in entities if each.get("@id") == SOFTWARE), None)
    return f"{version:.20}" if isinstance(version, str) and version.isprintable() else "unknown"


def _versions(made_by: str) -> str:
    """Return what is to be said of versions where another one wrote the archive."""
    return "" if made_by == must.__version__ else f"; written by must {made_by}, this is {must.__version__}"
