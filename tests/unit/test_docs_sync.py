"""The generated documents are what the models say, and the schema judges a file as the models do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from must import docs
from must.analysis.notes import ABOUT_TIMES
from must.config import Experiment, parse_experiment
from must.errors import MustError
from tests.support.helpers import ROOT

EXPERIMENTS = sorted((ROOT / "config").glob("*.yaml"))
SMALL: dict[str, Any] = {"name": "small", "env": {"tasks": ["reach-v3"]}}


def test_schema_is_up_to_date() -> None:
    assert (ROOT / docs.SCHEMA).read_text(encoding="utf-8") == docs.render_schema(), "run make docs"


def test_tables_are_up_to_date() -> None:
    text = (ROOT / docs.README).read_text(encoding="utf-8")
    assert docs.insert_tables(text) == text, "run make docs"


def test_shown_results_are_up_to_date() -> None:
    for page in docs.SHOWING_RESULTS:
        text = (ROOT / page).read_text(encoding="utf-8")
        assert docs.RESULTS.search(text), page
        assert docs.insert_results(text, ROOT) == text, "run make docs"


def test_a_shown_table_has_the_rows_of_settings_with_runs_and_how_it_was_made(tmp_path: Path) -> None:
    table = "results/reference/x/tables/t.md"
    (tmp_path / table).parent.mkdir(parents=True)
    row, made, times = "| a | 2 of 5 | 0.4 |", "Made with 2 seeds.", f"{ABOUT_TIMES}2 commits."
    lines = [
        "| Method | Seeds | Success |",
        "| --- | --- | --- |",
        row,
        "| b | 0 of 5 | - |",
        "",
        "Left out: b.",
        "",
        times,
        "",
        made,
    ]
    (tmp_path / table).write_text("\n".join(lines), encoding="utf-8")
    text = f"before\n<!-- BEGIN: {table} -->\nold\n<!-- END -->\nafter\n"
    shown = docs.insert_results(text, tmp_path)
    assert shown.splitlines() == [
        *text.splitlines()[:2],
        "",
        *lines[:3],
        "",
        f"<sub>{made} {times}</sub>",
        "",
        *text.splitlines()[-2:],
    ]
    assert docs.insert_results(shown, tmp_path) == shown


def test_main_writes_all(tmp_path: Path) -> None:
    for path in (docs.README, docs.SCHEMA, *docs.SHOWING_RESULTS):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / docs.README).write_text(f"before\n{docs.BEGIN}\nold\n{docs.END}\nafter\n", encoding="utf-8")
    docs.main(tmp_path)
    text = (tmp_path / docs.README).read_text(encoding="utf-8")
    assert text == f"before\n{docs.BEGIN}\n\n{docs.render_tables()}\n{docs.END}\nafter\n"
    assert (tmp_path / docs.SCHEMA).read_text(encoding="utf-8") == docs.render_schema()


def test_a_lost_marker_is_reported() -> None:
    with pytest.raises(ValueError, match="marker"):
        docs.insert_tables("no tables here")


def test_tables_name_every_key() -> None:
    tables = docs.render_tables()
    for name, field in Experiment.model_fields.items():
        section = docs.section_of(field)
        part = tables.partition(f"### `{name}`" if section else "### Top level")[2].partition("###")[0]
        for key in section.model_fields if section else [name]:
            assert f"\n| `{key}` | " in part


def test_readme_names_every_experiment() -> None:
    text = (ROOT / docs.README).read_text(encoding="utf-8")
    assert [path.name for path in EXPERIMENTS if f"| `{path.name}` |" not in text] == []


def test_values_are_described() -> None:
    tables = docs.render_tables()
    assert "| `horizon` | whole number ≥ 1, ≤ 500 | `150` |" in tables
    assert "| `pruning_ratios` | list of: number ≥ 0, < 1 | `[0.5]` |" in tables
    assert "| `goals` | `fixed`, `random` | `random` |" in tables


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_schema_accepts_our_experiments(path: Path) -> None:
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), json.loads(docs.render_schema()))


@pytest.mark.parametrize(
    "change",
    [
        {"sac": {"lr": "1e-4"}},
        {"sac": {"lr": 1}},
        {"generator": {"use_sl_loss": 0}},
        {"sweep": {"use_sl_loss": [0, True]}},
        {"sweep": {"pruning_ratios": [0, 0.5]}},
        {"env": {"tasks": ["reach-v3"], "n_tasks": None}},
    ],
    ids=str,
)
def test_schema_accepts_what_the_models_accept(change: dict[str, Any]) -> None:
    parse_experiment(SMALL | change)
    jsonschema.validate(SMALL | change, json.loads(docs.render_schema()))


@pytest.mark.parametrize(
    "change",
    [
        {"sacc": {}},
        {"sac": {"lrr": 1e-4}},
        {"sac": {"lr": 0}},
        {"sac": {"gamma": 1}},
        {"sweep": {"pruning_ratios": [1.0]}},
        {"sweep": {"seeds": []}},
        {"training": {"seed": -1}},
        {"training": {"epochs": 1.5}},
        {"env": {"tasks": ["reach-v3"], "horizon": 501}},
        {"generator": {"use_sl_loss": 2}},
    ],
    ids=str,
)
def test_schema_rejects_what_the_models_reject(change: dict[str, Any]) -> None:
    with pytest.raises(MustError):
        parse_experiment(SMALL | change)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(SMALL | change, json.loads(docs.render_schema()))
