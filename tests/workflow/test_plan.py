"""Which jobs are planned for an experiment."""

from collections import Counter
from typing import Any

from tests.support.helpers import ROOT
from tests.support.workflow import Workflow


def test_the_smoke_experiment_is_planned_run_by_run(workflow: Workflow, smoke: dict[str, Any]) -> None:
    plan = workflow.plan(smoke)
    assert plan.jobs == Counter(train=4, aggregate=1, figures=1, default=1)
    assert plan.trained == {
        "pruning_ratio~0/update_interval~na/seed~0",
        "pruning_ratio~0/update_interval~na/seed~1",
        "pruning_ratio~0.5/update_interval~2/seed~0",
        "pruning_ratio~0.5/update_interval~2/seed~1",
    }
    assert workflow.files == []


def test_every_axis_is_swept_and_dense_runs_are_planned_once(workflow: Workflow, smoke: dict[str, Any]) -> None:
    smoke["sweep"] = {
        "seeds": [0, 3],
        "pruning_ratios": [0, 0.5, 0.9],
        "update_intervals": [2, 3],
        "generator_lrs": ["1e-4", 0.001],
        "use_sl_loss": [0, 1],
        "use_trajectory_info": [0, 1],
        "granularities": ["weight", "neuron"],
        "benchmarks": ["MT10", "MT25"],
    }
    smoke["env"].pop("tasks")
    smoke["env"]["benchmark"] = "MT10"
    plan = workflow.plan(smoke)
    dense = 2 * 2
    sparse = 2 * 2 * 2 * 2 * 2 * 2 * 2 * 2
    assert plan.jobs["train"] == len(plan.trained) == dense + sparse
    assert {path for path in plan.trained if "pruning_ratio~0/" in path} == {
        f"benchmark~{benchmark}/granularity~na/pruning_ratio~0/update_interval~na/generator_lr~na/"
        f"use_sl_loss~na/use_trajectory_info~na/seed~{seed}"
        for benchmark in ("MT10", "MT25")
        for seed in (0, 3)
    }


def test_any_key_can_be_an_axis(workflow: Workflow, smoke: dict[str, Any]) -> None:
    smoke["sweep"] = {"seeds": [0], "pruning_ratios": [0], "grid": {"network.hidden_sizes": [[16, 16], [8]]}}
    done = workflow.snakemake("--dry-run", "--printshellcmds", config=smoke)
    commands = [line for line in done.stdout.splitlines() if "must train" in line]
    assert len(commands) == 2
    for shape, value in (("16x16", "[16, 16]"), ("8", "[8]")):
        assert any(
            f"network_hidden_sizes~{shape}/" in each and f"network.hidden_sizes={value}" in each for each in commands
        )


def test_planning_imports_neither_plots_nor_statistics(workflow: Workflow, smoke: dict[str, Any]) -> None:
    """Every job of the workflow reads the Snakefile again, so what it imports is paid for each time."""
    done = workflow.snakemake("--dry-run", config=smoke, python=("-X", "importtime"))
    imported = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "must.config.outputs" in imported
    assert not {"matplotlib", "torch", "must.analysis"} & imported


def test_a_run_gets_the_original_options_and_a_dense_one_no_mask_options(
    workflow: Workflow, smoke: dict[str, Any]
) -> None:
    smoke["sweep"] |= {"seeds": [5], "granularities": ["weight"], "use_sl_loss": [0]}
    del smoke["masks"]["granularity"]
    done = workflow.snakemake("--dry-run", "--printshellcmds", config=smoke)
    commands = [line for line in done.stdout.splitlines() if "must train" in line]
    path = "results/smoke/runs/granularity~{}/pruning_ratio~{}/update_interval~{}/use_sl_loss~{}/seed~5"
    train = "must train --config results/smoke/config.yaml --out"
    dense, sparse = sorted(commands, key=lambda command: "--set" in command)
    assert f"{train} '{path.format('na', 0, 'na', 'na')}' --pruning-ratio 0 --seed 5 --keep-old" in dense
    assert (
        f"{train} '{path.format('weight', 0.5, 2, 0)}' --set masks.granularity=weight "
        "--pruning-ratio 0.5 --update-interval 2 --use-sl-loss 0 --seed 5 --keep-old"
    ) in sparse


def test_variants_are_planned_with_the_settings_that_they_name(workflow: Workflow, smoke: dict[str, Any]) -> None:
    smoke["sweep"] = {
        "seeds": [0, 1],
        "pruning_ratios": [0.5],
        "update_intervals": [2],
        "variants": {
            "dense": {"method": "mt_sac"},
            "must": {},
            "must-90": {"masks.pruning_ratio": 0.9, "network.hidden_sizes": [12, 9], "generator.head": None},
        },
    }
    plan = workflow.plan(smoke)
    assert plan.trained == {
        f"variant~{path}/seed~{seed}"
        for path in (
            "dense/pruning_ratio~na/update_interval~na",
            "must/pruning_ratio~0.5/update_interval~2",
            "must-90/pruning_ratio~na/update_interval~2",
        )
        for seed in (0, 1)
    }
    done = workflow.snakemake("--dry-run", "--printshellcmds", config=smoke)
    commands = [line for line in done.stdout.splitlines() if "must train" in line and "seed~1" in line]
    dense, sparse, _ = sorted(commands, key=lambda command: command.split("variant~")[1])
    assert "--seed 1 --method mt_sac --keep-old" in dense
    assert "--update-interval 2 --seed 1 --" in sparse
    assert " --pruning-ratio 0.9 " in sparse
    assert " --set 'network.hidden_sizes=[12, 9]' " in sparse
    assert " --set generator.head=null " in sparse


def test_one_run_takes_one_core_unless_it_has_more_workers(workflow: Workflow, smoke: dict[str, Any]) -> None:
    assert workflow.snakemake("--dry-run", "--cores", "8", config=smoke).stdout.count("(cores: 1)") == 4
    smoke["training"]["n_workers"] = 2
    assert workflow.snakemake("--dry-run", "--cores", "8", config=smoke).stdout.count("(cores: 2)") == 4


def test_the_default_experiment_is_not_merged_with_a_given_one(workflow: Workflow, smoke: dict[str, Any]) -> None:
    assert (ROOT / "config" / "quick.yaml").exists()
    del smoke["sweep"]
    plan = workflow.plan(smoke)
    assert plan.trained == {"pruning_ratio~0.5/update_interval~2/seed~0"}
    default = workflow.snakemake("--dry-run", config=None)
    assert default.returncode == 0
    assert "Training results/quick/runs/" in default.stdout


def test_a_large_sweep_is_planned_whole(workflow: Workflow) -> None:
    config = {
        "name": "large",
        "env": {"benchmark": "MT10"},
        "sweep": {
            "seeds": list(range(10)),
            "pruning_ratios": [0, 0.1, 0.5, 0.7, 0.9],
            "update_intervals": [25, 50, 100, 400],
        },
    }
    assert workflow.plan(config).jobs["train"] == 10 + 10 * 4 * 4
