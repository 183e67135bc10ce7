"""What goes into the archive of an experiment."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from must.checkout import shared
from must.config import Experiment, load_sweep
from must.data import Results, Run, load_results
from must.errors import ConfigError, ResultsError
from must.export.archive import Content, write_archive
from must.export.card import front_page
from must.export.crate import metadata
from must.export.layout import EXPERIMENT, METADATA, PIPELINE, README, RESULTS
from must.export.policies import policies_of
from must.run_files import CONFIG, LOGS, MANIFEST, RESULT, table

RUN_FILES = (CONFIG, MANIFEST, RESULT, *map(table, LOGS))
_BESIDE = ("LICENSE", "CITATION.cff")
_PIPELINE = (  # without profiles: those of a site, with its accounts, are nobody's business
    "Snakefile",
    "workflow/Snakefile",
    "workflow/rules/*.smk",
    "workflow/schemas/*.json",
    "workflow/report/*",
    "containers/must.def",
    "containers/*.sh",
    "containers/locks/*.txt",
)

log = logging.getLogger("must")


@dataclass(frozen=True)
class Exported:
    """An archive that was written."""

    path: Path
    runs: int
    """Runs in it, all of them finished."""
    planned: int
    """Runs of the sweep."""
    policies: int
    """Runs in it whose trained policy is there."""
    files: int

    def __str__(self) -> str:
        policies = f"policies of {self.policies}" if self.policies else "no policies: no run has its final.pt"
        return f"{self.path}: {self.runs} of {self.planned} runs, {policies}, {self.files} files"


def export(config: Path, results: Path, out: Path | None = None) -> Exported:
    """Write one archive of an experiment: configuration, logs, data, tables, figures, policies, pipeline, checksums.

    Data, tables and figures are made anew, of the finished runs alone, so that they are those of the logs beside them.

    Args:
        config: The experiment file.
        results: Directory that holds ``<name>/runs/...``.
        out: The archive, by default ``<results>/<name>/<name>.zip``.

    Raises:
        ResultsError: No run is finished, or one is damaged.
        ConfigError: The experiment file cannot be used, or ``out`` is no place for an archive.
    """
    experiment = load_sweep(config)
    if out is not None and (out.suffix != ".zip" or out.is_dir() or not out.parent.is_dir()):
        raise ConfigError(f"--out {out}: give a file that ends in .zip, in a directory that is there")
    path = out or results / experiment.name / f"{experiment.name}.zip"
    with TemporaryDirectory(prefix="must-export-") as scratch:
        loaded = load_results(experiment, results)
        _link(loaded, Path(scratch))
        files: dict[str, Content] = {EXPERIMENT: config.read_bytes()}
        made = dict(_made(experiment, Path(scratch)))
        runs = loaded.finished
        policies = policies_of(experiment, runs)
        files |= made | dict(_logs(experiment, runs)) | policies.files | dict(_repository())
        files[README] = front_page(loaded, len(policies.names), files).encode()
        files[METADATA] = metadata(loaded, files)
        write_archive(path, files)
    return Exported(path, len(runs), len(loaded.runs), len(policies.names), len(files) + 1)


def _link(loaded: Results, scratch: Path) -> None:
    """Lay out results that hold the finished runs of others, and nothing else."""
    for run in loaded.finished:
        place = scratch / loaded.experiment.name / "runs" / run.spec.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(run.directory.resolve(), target_is_directory=True)


def _made(experiment: Experiment, results: Path) -> Iterator[tuple[str, bytes]]:
    """Make data, tables and figures; return them by their names in the archive."""
    from must.analysis import aggregate, write_figures

    written = [*aggregate(experiment, results), *write_figures(experiment, results)]
    for path in sorted(written):
        yield f"{RESULTS}/{path.relative_to(results).as_posix()}", path.read_bytes()


def _logs(experiment: Experiment, runs: Sequence[Run]) -> Iterator[tuple[str, Path]]:
    for run in runs:
        for name in RUN_FILES:
            file = run.directory / name
            if file.is_file():
                yield f"{RESULTS}/{experiment.name}/runs/{run.spec.path}/{name}", file
            elif name != table("timing"):
                raise ResultsError(f"{file}: is missing; restore it, or train the run again")


def _repository() -> Iterator[tuple[str, Path]]:
    """Return the files of the repository that go along, where this must has them."""
    root = shared()
    if root is None:
        log.warning("this installation has no pipeline, so the archive will hold none; export from a checkout for it")
        return
    for pattern in (*_BESIDE, *_PIPELINE):
        for file in sorted(root.glob(pattern)):
            name = file.relative_to(root).as_posix()
            yield name if name in _BESIDE else f"{PIPELINE}/{name}", file
