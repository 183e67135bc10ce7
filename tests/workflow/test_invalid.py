"""A mistake in the configuration ends the workflow before it did anything, with a message that helps."""

from typing import Any

import pytest
import yaml

from tests.support.workflow import Workflow

MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"training": {"epoch": 3}}, "training.epoch: unknown key; did you mean 'epochs'?"),
    "unknown task": ({"env": {"tasks": ["reech-v3"]}}, "unknown task 'reech-v3'; did you mean 'reach-v3'?"),
    "wrong type": ({"training": {"epochs": "many"}}, "training.epochs"),
    "ratio out of range": ({"sweep": {"pruning_ratios": [1.0]}}, "sweep.pruning_ratios, item 1: use at least 0"),
    "benchmark too small": ({"env": {"benchmark": "MT10", "n_tasks": 11}}, "MT10 has 10 tasks"),
    "value named twice": ({"sweep": {"seeds": [1, 1]}}, "names a value twice"),
    "shell characters in the name": ({"name": "a; touch b"}, "name"),
    "path in the name": ({"name": "../elsewhere"}, "name"),
    "image required, and not used": ({"container": {"required": True}}, "container.required is true"),
    "walltime above its own limit": ({"resources": {"minutes": 9, "max_minutes": 5}}, "max_minutes is 5"),
    "a variant with an unknown key": (
        {"sweep": {"variants": {"fast": {"sac.lrr": 1}}}},
        "sweep.variants.fast.sac.lrr: unknown key; did you mean 'lr'?",
    ),
    "a run of the sweep that cannot be": (
        {"sweep": {"update_intervals": [1]}, "env": {"tasks": ["reach-v3"], "horizon": 200}},
        "the first mask update comes after",
    ),
}


TEXTS = {
    "a section twice": ("training: {epochs: 3}\n", ".yaml: line {last}: 'training' is there twice"),
    "what no run reads": ("method: mt_sac\n", "sweep.pruning_ratios: is read by no run"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_snakemake_reads_a_file_as_must_does(workflow: Workflow, smoke: dict[str, Any], case: str) -> None:
    text, message = TEXTS[case]
    text = yaml.safe_dump(smoke) + text
    done = workflow.snakemake("--dry-run", config=text)
    assert done.returncode == 2
    assert message.format(last=len(text.splitlines())) in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert workflow.files == []


def test_snakemake_reads_its_option_as_must_does(workflow: Workflow, smoke: dict[str, Any]) -> None:
    done = workflow.snakemake("--dry-run", "--config", "sweep={seeds: [1], seeds: [2]}", config=smoke)
    assert done.returncode == 2
    assert "'seeds' is there twice" in done.stderr


def test_numbers_are_those_of_yaml_1_2(workflow: Workflow, smoke: dict[str, Any]) -> None:
    text = yaml.safe_dump(smoke).replace("- 0\n  - 1\n", "- 010\n  - 1_000\n")
    assert "010" in text
    trained = workflow.plan(text).trained
    assert {path.rsplit("~", 1)[1] for path in trained} == {"10", "1000"}


def test_a_results_link_to_nowhere_is_one_line(workflow: Workflow, smoke: dict[str, Any]) -> None:
    (workflow.directory / "results").symlink_to("nowhere")
    done = workflow.snakemake("--cores", "1", config=smoke)
    assert done.returncode != 0
    assert "results: is a link to nowhere, which is not there" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_explained_and_nothing_is_written(workflow: Workflow, smoke: dict[str, Any], case: str) -> None:
    changes, message = MISTAKES[case]
    done = workflow.snakemake("--cores", "1", config=smoke | changes)
    output = done.stdout + done.stderr
    assert done.returncode == 2
    assert message in output
    assert "Traceback" not in output
    assert ".smk" not in output
    assert workflow.files == []


def test_the_message_names_the_file(workflow: Workflow, smoke: dict[str, Any]) -> None:
    done = workflow.snakemake("--cores", "1", config=smoke | {"envv": {}})
    assert ".yaml: envv: unknown key; did you mean 'env'?" in done.stderr
