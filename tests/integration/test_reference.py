"""The results that ship: the tables say what the logs say, and the README says what the tables say."""

import csv
import json
from pathlib import Path
from typing import NamedTuple

import pytest

from must.analysis import aggregate, write_figures
from must.config import Experiment, load_experiment
from must.config.outputs import DATA, OPTIONAL_FIGURES, figure_names, table_names
from tests.support.helpers import tracked_names
from tests.support.reading import shipped_logs

ROOT = Path(__file__).parents[2]


class Shipped(NamedTuple):
    """An experiment whose logs and tables are committed."""

    experiment: Experiment
    directory: Path
    seeds: int
    table: str
    """The table that the README shows."""


SHIPPED = {
    name: Shipped(
        load_experiment(ROOT / "config" / f"{name}.yaml"), ROOT / "results" / "reference" / name, seeds, table
    )
    for name, seeds, table in (("quick", 5, "success_rate"),)
}
shipped = pytest.mark.parametrize("shipped", SHIPPED.values(), ids=SHIPPED)


def test_data_and_tables_are_committed_of_whole_experiments_alone():
    """The others' would be out of date with the next run that is added."""
    parts = [name.split("/") for name in tracked_names("results/reference")]
    names = {name for _, _, name, folder, *_ in parts if folder in ("data", "tables")}
    assert names == set(SHIPPED)


@shipped
def test_the_committed_data_and_tables_are_what_the_committed_logs_give(shipped, tmp_path):
    written = aggregate(shipped.experiment, shipped_logs(shipped.experiment.name, tmp_path))
    committed = [path for folder in ("data", "tables") for path in (shipped.directory / folder).iterdir()]
    assert sorted(path.name for path in committed) == sorted(path.name for path in written)
    assert {path.stem for path in written} == {*DATA, *table_names(shipped.experiment)}
    for path in written:
        assert path.read_bytes() == (shipped.directory / path.parent.name / path.name).read_bytes(), path.name


@pytest.mark.slow
@shipped
def test_every_figure_comes_from_the_committed_logs(shipped, tmp_path):
    written = write_figures(shipped.experiment, shipped_logs(shipped.experiment.name, tmp_path))
    assert {path.stem for path in written} == {*figure_names(shipped.experiment), *OPTIONAL_FIGURES}


@shipped
def test_the_sweep_is_whole_and_made_with_committed_code(shipped):
    for spec in shipped.experiment.runs():
        manifest = json.loads((shipped.directory / "runs" / spec.path / "manifest.json").read_text())
        assert manifest["state"] == "finished", spec.path
        assert manifest["git_dirty"] is False, spec.path
    with (shipped.directory / "tables" / "success_rate.csv").open() as file:
        assert all(row["seeds"] == row["seeds_planned"] == str(shipped.seeds) for row in csv.DictReader(file))


@shipped
def test_the_readme_shows_the_committed_table(shipped):
    table = (shipped.directory / "tables" / f"{shipped.table}.md").read_text()
    readme = (ROOT / "README.md").read_text()
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(shipped.experiment.runs()) // shipped.seeds
    for row in rows:
        assert row in readme
