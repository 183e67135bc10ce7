"""A sweep over methods: how it is planned, and all of it for real."""

import csv
import json
from typing import Any

import pytest

from must.config import METHODS, parse_experiment
from must.config.outputs import OPTIONAL_FIGURES, figure_names, table_names
from tests.support.helpers import ROOT
from tests.support.workflow import Workflow


def all_methods(smoke: dict[str, Any]) -> dict[str, Any]:
    """Return the smoke experiment as a comparison: every method and variant, one seed."""
    smoke["sweep"] = {
        "seeds": [0],
        "methods": list(METHODS),
        "soft_modularization_sizes": ["shallow", "deep"],
        "magnitude_networks": ["actor", "both"],
        "pruning_ratios": [0.5],
        "update_intervals": [2],
    }
    return smoke


def test_each_method_is_planned_with_the_settings_that_it_reads(workflow: Workflow, smoke: dict[str, Any]) -> None:
    plan = workflow.plan(all_methods(smoke))
    assert len(plan.trained) == plan.jobs["train"] == len(METHODS) + 2
    na = "size~na/networks~na/pruning_ratio~na/update_interval~na/seed~0"
    assert {f"method~{name}/{na}" for name in ("mt_sac", "mtmh_sac", "pcgrad", "single_task")} <= plan.trained
    assert {
        "method~must/size~na/networks~na/pruning_ratio~0.5/update_interval~2/seed~0",
        "method~static_sparse/size~na/networks~na/pruning_ratio~0.5/update_interval~na/seed~0",
        "method~magnitude/size~na/networks~both/pruning_ratio~0.5/update_interval~na/seed~0",
        "method~soft_modularization/size~deep/networks~na/pruning_ratio~na/update_interval~na/seed~0",
    } <= plan.trained


def test_a_setting_of_one_method_trains_no_other_anew(smoke: dict[str, Any]) -> None:
    """What a job depends on is the identity of its run's settings."""
    before, after = (
        {spec.path: _identity(config, spec) for spec in parse_experiment(config).runs()}
        for config in (
            all_methods(smoke),
            all_methods(smoke) | {"cagrad": {"c": 0.2}, "generator": smoke["generator"] | {"lr": 0.5}},
        )
    )
    changed = {path.split("/")[0] for path in before if before[path] != after[path]}
    assert changed == {"method~cagrad", "method~must"}


def _identity(config: dict[str, Any], spec: Any) -> str:
    from must.config import identity

    return identity(parse_experiment(config, parse_experiment(config).overrides(spec)).run_config())


@pytest.mark.parametrize("name", ["comparison_quick", "mt10_comparison", "mt50_comparison"])
def test_the_comparisons_train_every_method(workflow: Workflow, name: str) -> None:
    plan = workflow.plan((ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert {path.split("/")[0] for path in plan.trained} == {f"method~{method}" for method in METHODS}
    assert len(plan.trained) == {"comparison_quick": 80}.get(name, 135)


@pytest.mark.slow
def test_every_method_goes_through_the_whole_pipeline(workflow: Workflow, smoke: dict[str, Any]) -> None:
    config = all_methods(smoke)
    experiment = parse_experiment(config)
    done = workflow.snakemake("--profile", str(ROOT / "workflow/profiles/local"), "--cores", "2", config=config)
    assert done.returncode == 0, done.stdout + done.stderr
    results = workflow.directory / "results" / "smoke"
    for spec in experiment.runs():
        result = json.loads((results / "runs" / spec.path / "result.json").read_text())
        assert result["epochs"] == 7
    assert {path.stem for path in (results / "tables").iterdir()} == set(table_names(experiment))
    expected = {*figure_names(experiment), *OPTIONAL_FIGURES}  # these runs log what the optional ones show
    assert {path.stem for path in (results / "figures").iterdir()} == expected
    with (results / "tables" / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(METHODS) + 2
