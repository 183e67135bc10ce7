"""The results that ship: the tables say what the logs say, and the README says what the tables say."""

import csv
import json
from pathlib import Path

import pytest

from must.analysis import TABLES, figure_names, write_figures, write_tables
from must.config import load_experiment

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "results" / "reference"
EXPERIMENT = load_experiment(ROOT / "config" / "reference.yaml")


def elsewhere(folder: Path) -> Path:
    """Give a directory of results with the committed logs, to write into."""
    (folder / "reference").mkdir()
    (folder / "reference" / "runs").symlink_to(REFERENCE / "runs")
    return folder


def test_the_committed_tables_are_what_the_committed_logs_give(tmp_path):
    written = write_tables(EXPERIMENT, elsewhere(tmp_path))
    assert sorted(path.name for path in (REFERENCE / "tables").iterdir()) == sorted(path.name for path in written)
    for path in written:
        assert path.read_bytes() == (REFERENCE / "tables" / path.name).read_bytes(), path.name


@pytest.mark.slow
def test_every_figure_comes_from_the_committed_logs(tmp_path):
    written = write_figures(EXPERIMENT, elsewhere(tmp_path))
    assert {path.stem for path in written} == set(figure_names(EXPERIMENT))


def test_the_sweep_is_whole_and_made_with_committed_code():
    for spec in EXPERIMENT.runs():
        manifest = json.loads((REFERENCE / "runs" / spec.path / "manifest.json").read_text())
        assert manifest["state"] == "finished", spec.path
        assert manifest["git_dirty"] is False, spec.path
    with (REFERENCE / "tables" / "success_rate.csv").open() as file:
        assert all(row["seeds"] == row["seeds_planned"] == "3" for row in csv.DictReader(file))


def test_the_readme_shows_the_committed_table():
    table = (REFERENCE / "tables" / "success_rate.md").read_text()
    readme = (ROOT / "README.md").read_text()
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(EXPERIMENT.runs()) // 3
    for row in rows:
        assert row in readme


def test_all_tables_are_committed():
    assert {path.stem for path in (REFERENCE / "tables").iterdir()} == set(TABLES)
