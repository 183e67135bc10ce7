"""The pages of an archive that people read: its own, and the model card of each policy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import must
from must.config import Experiment, read_recorded
from must.config.yaml_text import write_yaml
from must.data import Results, Run
from must.data.logs import read_json
from must.data.names import describe, method_label
from must.data.provenance import commits_of, containers_of
from must.export.layout import DEFINITION, EXPERIMENT, MADE, METADATA, PIPELINE, POLICIES, RESULTS, WORKFLOW
from must.run_files import CONFIG, MEAN_SUCCESS, MILESTONES, RESULT, SHARED
from must.types import ACTION_DIM, OBS_DIM
from must.words import count_of

LICENSE = "MIT"


def front_page(results: Results, policies: int, files: Iterable[str]) -> str:
    """Write the README of an archive.

    Args:
        results: What is in it.
        policies: Runs whose policy is in it.
        files: Names of its other files.
    """
    experiment, present = results.experiment, set(files)
    runs = results.finished
    digests = containers_of(runs)
    place = f"{RESULTS}/{experiment.name}"
    kept = "no policies: the weights of these runs were not kept"
    lines = [
        f"# {experiment.name}",
        "",
        f"Multi-task reinforcement learning on Meta-World, {len(runs)} of {len(results.runs)} training runs of the "
        f"sweep in `{EXPERIMENT}`. Written by `must export`, must {must.__version__}.",
        "",
        "| what | where |",
        "| --- | --- |",
        f"| the experiment | `{EXPERIMENT}` |",
        f"| settings, logs and provenance of each run | `{place}/runs/` |",
        *(f"| {words}, made of these logs | `{place}/{name}/` |" for name, words in MADE.items()),
        f"| trained policies (safetensors, a model card each): {policies} | `{POLICIES}/` |"
        if policies
        else f"| {kept} | |",
        *([f"| the workflow, locked packages | `{PIPELINE}/` |"] if WORKFLOW in present else []),
        *([f"| definition of the image | `{DEFINITION}` |"] if DEFINITION in present else []),
        f"| description for machines (Workflow Run RO-Crate) | `{METADATA}` |",
        "| checksums | `SHA256SUMS` |",
        "",
        f"Code: {_commits(runs)}. Image: {', '.join(_digest(digest) for digest in digests)}.",
        "",
        "## Check it",
        "",
        "    sha256sum --check --quiet SHA256SUMS      # in the unpacked archive",
        "    must verify ARCHIVE.zip                   # makes every table anew from the logs, and compares",
        "",
        "## Use it",
        "",
        f"    must aggregate --config {EXPERIMENT} --results {RESULTS}",
        f"    must figures --config {EXPERIMENT} --results {RESULTS}",
    ]
    if policies:
        first = next(run for run in runs if f"{POLICIES}/{run.spec.path}/{SHARED}" in present)
        where, task = f"{POLICIES}/{first.spec.path}", first.config.env.task_names[0]
        lines += [
            f"    must evaluate {where} --episodes 50",
            f"    must render {where} --task {task} --out clip.mp4",
        ]
    return "\n".join([*lines, ""])


def _commits(runs: Sequence[Run]) -> str:
    return ", ".join(f"commit {name}{' with changes' if dirty else ''}" for name, dirty in commits_of(runs).items())


def _digest(digest: str) -> str:
    return "none" if digest == "none" else f"content sha256 {digest}"


def model_card(experiment: Experiment, run: Run, milestones: Sequence[str]) -> str:
    """Write the model card of a run's policy, with the metadata that the Hugging Face hub reads at its top.

    Args:
        experiment: That of the run.
        run: A finished one.
        milestones: Directories of the policies that were kept on the way.
    """
    name, result = _model_name(experiment, run), read_json(run.directory / RESULT)
    env = run.config.env
    success = {task: rate for task, rate in result.get("success", {}).items() if isinstance(rate, int | float)}
    head = {
        "license": LICENSE.lower(),
        "library_name": "must",
        "pipeline_tag": "reinforcement-learning",
        "tags": ["reinforcement-learning", "multi-task", "meta-world", run.config.method.replace("_", "-")],
        "model-index": [{"name": name, "results": [_result(task, rate) for task, rate in success.items()]}],
    }
    epochs = read_recorded(run.directory / CONFIG).training.milestones
    kept = [
        f"| {share} of the training (epoch {epochs.get(share, '?')}) | `{MILESTONES}/{share}/` |"
        for share in milestones
    ]
    episodes = run.config.evaluated(last=True)
    lines = [
        "---",
        write_yaml(head, sort_keys=False).rstrip("\n"),
        "---",
        "",
        f"# {name}",
        "",
        f"A policy of {method_label(run.config)} for {len(env.task_names)} tasks of Meta-World, from the experiment "
        f"`{experiment.name}` ({describe(run.spec.params)}).",
        "",
        f"It takes observations of {OBS_DIM} numbers and gives actions of {ACTION_DIM} in [-1, 1], "
        "for each task by its place in the list below.",
        "",
        "| task | success rate in the last evaluation |",
        "| --- | ---: |",
        *(f"| {task} | {rate:.2f} |" for task, rate in success.items()),
        f"| mean | {float(result.get(MEAN_SUCCESS, 'nan')):.2f} |",
        "",
        f"{count_of(episodes.number, 'episode')} of {episodes.horizon} steps a task, reward {env.reward}, "
        f"{env.goals} goals, mean action. Success rates of a run are those of one seed: methods are compared over "
        "seeds, in the tables of the experiment.",
        "",
        *([*_HEADING, *kept, ""] if kept else []),
        "## Use it",
        "",
        "    must evaluate . --episodes 50",
        f"    must render . --task {env.task_names[0]} --out clip.mp4",
        "",
        "In Python, with `must` installed:",
        "",
        "    from pathlib import Path",
        "    from must.evaluation import load_policy",
        "    config, policy = load_policy(Path('.'))",
        f"    actions = policy.act(observations, None)      # ({len(env.task_names)}, {OBS_DIM}) -> "
        f"({len(env.task_names)}, {ACTION_DIM}), a row for each task",
        "",
        "It was trained in simulation alone, on these tasks, and is of no use for others.",
        "",
    ]
    return "\n".join(lines)


_HEADING = ("Policies from before the end:", "", "| when | where |", "| --- | --- |")


def _model_name(experiment: Experiment, run: Run) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", f"must-{experiment.name}-{run.spec.path}")


def _result(task: str, rate: float) -> dict[str, Any]:
    return {
        "task": {"type": "reinforcement-learning", "name": "reinforcement learning"},
        "dataset": {"type": "meta-world", "name": f"Meta-World {task}"},
        "metrics": [{"type": "success_rate", "name": "success rate", "value": float(rate)}],
    }
