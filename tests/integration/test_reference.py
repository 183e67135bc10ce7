"""The results that ship: the tables say what the logs say, and the README says what the tables say."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from must.analysis import aggregate, write_figures
from must.config import Experiment, RunSpec, load_experiment
from must.config.outputs import DATA, OPTIONAL_FIGURES, figure_names, table_names
from tests.support.helpers import tracked_names
from tests.support.reading import shipped_logs

ROOT = Path(__file__).parents[2]


class Shipped(NamedTuple):
    """An experiment whose logs and tables are committed."""

    name: str
    tables: tuple[str, ...]
    """The tables that the README shows."""
    data: bool = True
    """Whether its data ship: not where they are more than all else together, and change with each run."""

    @property
    def experiment(self) -> Experiment:
        return load_experiment(ROOT / "config" / f"{self.name}.yaml")

    @property
    def directory(self) -> Path:
        return ROOT / "results" / "reference" / self.name

    def finished(self) -> list[RunSpec]:
        """Return the runs whose logs are committed: all of them, or as many as could be trained so far."""
        return [spec for spec in self.experiment.runs() if (self.directory / "runs" / spec.path).exists()]


SHIPPED = {
    shipped.name: shipped
    for shipped in (
        Shipped("quick", ("success_rate",)),
        Shipped("mt10_workstation", ("comparison",), data=False),
        Shipped("mask_ablation", ("comparison",), data=False),
        Shipped("comparison_quick", ("comparison",)),
        Shipped("reference", ("comparison",)),
    )
}
shipped = pytest.mark.parametrize("shipped", SHIPPED.values(), ids=SHIPPED)


def test_logs_and_tables_are_committed_of_every_experiment_that_ships():
    parts = [name.split("/") for name in tracked_names("results/reference")]
    for content in ("runs", "tables"):
        assert {name for _, _, name, folder, *_ in parts if folder == content} == set(SHIPPED)
    with_data = {name for name, each in SHIPPED.items() if each.data}
    assert {name for _, _, name, folder, *_ in parts if folder == "data"} == with_data


@shipped
def test_the_committed_data_and_tables_are_what_the_committed_logs_give(shipped, tmp_path):
    written = aggregate(shipped.experiment, shipped_logs(shipped.experiment.name, tmp_path))
    names = tracked_names(f"results/reference/{shipped.name}")
    committed = [name for name in names if name.split("/")[3] in ("data", "tables")]
    folders = {name.split("/")[-2] for name in committed}
    expected = {f"{path.parent.name}/{path.name}": path.read_bytes() for path in written if path.parent.name in folders}
    assert {"/".join(name.split("/")[-2:]): (ROOT / name).read_bytes() for name in committed} == expected
    assert {path.stem for path in written} == {*DATA, *table_names(shipped.experiment)}


@pytest.mark.slow
@shipped
def test_every_figure_comes_from_the_committed_logs(shipped, tmp_path):
    written = write_figures(shipped.experiment, shipped_logs(shipped.experiment.name, tmp_path))
    assert {path.stem for path in written} == {*figure_names(shipped.experiment), *OPTIONAL_FIGURES}


@shipped
def test_the_runs_are_finished_and_made_with_committed_code(shipped):
    for spec in shipped.finished():
        manifest = json.loads((shipped.directory / "runs" / spec.path / "manifest.json").read_text())
        assert manifest["state"] == "finished", spec.path
        assert manifest["git_dirty"] is False, spec.path


@shipped
def test_the_readme_shows_the_committed_tables(shipped):
    """Settings that have no run yet have no row there."""
    readme = (ROOT / "README.md").read_text()
    for table in shipped.tables:
        text = (shipped.directory / "tables" / f"{table}.md").read_text()
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert len(rows) > 2
        for row in rows:
            assert row in readme or "| 0 of " in row


@shipped
def test_the_readme_says_how_many_runs_there_are(shipped):
    finished, planned = len(shipped.finished()), len(shipped.experiment.runs())
    readme = (ROOT / "README.md").read_text()
    if finished < planned:
        assert f"`{shipped.name}`](config/{shipped.name}.yaml): {finished} of {planned} runs are finished" in readme
    else:
        assert f"config/{shipped.name}.yaml" in readme
