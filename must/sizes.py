"""How large the networks of an experiment's runs are, before anything is trained."""

from __future__ import annotations

import torch

from must.algorithms import make_agent
from must.config import NOT_APPLICABLE, Experiment, parse_experiment

COLUMNS = ("policy", "of a task", "Q network", "of a task", "generators", "all", "FLOPs per action")


def sizes(experiment: Experiment) -> list[tuple[str, tuple[int, ...]]]:
    """Count the parameters of every setting of a sweep.

    Returns:
        For each setting that the sweep trains, seeds apart: what it is in words, and the numbers of `COLUMNS`.
    """
    rows: dict[str, tuple[int, ...]] = {}
    for spec in experiment.runs():
        swept = [(axis, value) for axis, value in spec.params if axis != "seed" and value != NOT_APPLICABLE]
        config = parse_experiment(experiment.model_dump(mode="json"), experiment.overrides(spec)).run_config()
        name = ", ".join((config.method, *(f"{axis} {value}" for axis, value in swept if axis != "method")))
        if name not in rows:
            rows[name] = _row(make_agent(config, torch.device("cpu")).sizes())
    return list(rows.items())


def table(rows: list[tuple[str, tuple[int, ...]]]) -> str:
    """Lay sizes out for a terminal."""
    lines = [("", *COLUMNS), *((name, *(f"{number:,}" for number in numbers)) for name, numbers in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    first, *others = widths
    return "\n".join(
        "  ".join((line[0].ljust(first), *(cell.rjust(width) for cell, width in zip(line[1:], others, strict=True))))
        for line in lines
    )


def _row(found: dict[str, int]) -> tuple[int, ...]:
    """Return the numbers of `COLUMNS` from what an agent says of its sizes."""
    return (
        found["policy_parameters"],
        found["policy_parameters_kept"],
        found["q_parameters"],
        found["q_parameters_kept"],
        found["generator_parameters"],
        found["policy_parameters"] + 2 * found["q_parameters"] + found["generator_parameters"],
        found["flops_per_action"],
    )
