"""The whole pipeline for real: Snakemake, Meta-World, training, tables, figures."""

import json
from typing import Any

import yaml

from must.config import load_experiment
from tests.support.helpers import ROOT
from tests.support.workflow import Workflow

FIGURES = (
    "learning_curves",
    "success_by_pruning_ratio",
    "success_by_update_interval",
    "success_per_task",
    "mask_overlap",
)


def test_every_promised_file_is_there(finished: Workflow, smoke: dict[str, Any]) -> None:
    expected = {f"results/smoke/tables/success_rate.{suffix}" for suffix in ("csv", "md", "tex")}
    expected |= {f"results/smoke/figures/{name}.{suffix}" for name in FIGURES for suffix in ("pdf", "svg", "png")}
    for spec in load_experiment(ROOT / "config" / "smoke.yaml").runs():
        names = ("config.yaml", "manifest.json", "eval.csv", "train.csv", "masks.csv", "timing.csv", "train.log")
        expected |= {f"results/smoke/runs/{spec.path}/{name}" for name in (*names, "final.pt", "result.json")}
        expected |= {f"results/smoke/logs/train/{spec.path}.log", f"results/smoke/benchmarks/train/{spec.path}.tsv"}
    assert expected <= {str(path) for path in finished.files}


def test_the_merged_configuration_is_recorded(finished: Workflow, smoke: dict[str, Any]) -> None:
    recorded = finished.directory / "results/smoke/config.yaml"
    assert load_experiment(recorded) == load_experiment(ROOT / "config" / "smoke.yaml")
    assert set(yaml.safe_load(recorded.read_text())) >= set(smoke)


def test_runs_finished_under_their_own_settings(finished: Workflow) -> None:
    for spec in load_experiment(ROOT / "config" / "smoke.yaml").runs():
        directory = finished.directory / "results/smoke/runs" / spec.path
        settings = yaml.safe_load((directory / "config.yaml").read_text())
        params = dict(spec.params)
        assert settings["training"]["seed"] == int(params["seed"])
        assert settings["masks"]["pruning_ratio"] == float(params["pruning_ratio"])
        assert json.loads((directory / "manifest.json").read_text())["state"] == "finished"


def test_the_report_shows_table_and_figures(finished: Workflow, smoke: dict[str, Any]) -> None:
    report = finished.directory.parent / "report.html"
    done = finished.snakemake("--report", str(report), config=smoke)
    assert done.returncode == 0, done.stderr
    text = report.read_text(encoding="utf-8")
    assert "success_rate.csv" in text
    assert all(f"{name}.svg" in text for name in FIGURES)
