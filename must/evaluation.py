"""Evaluating a trained policy from its run directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from must.algorithms import Agent
from must.collect import Collector
from must.config import RunConfig, load_experiment
from must.errors import RunDirectoryError
from must.types import EvalResult


def evaluate(run_dir: Path, episodes: int, n_workers: int) -> tuple[RunConfig, EvalResult]:
    """Evaluate the policy of a finished run, on the same goals as the run's own evaluations.

    Args:
        run_dir: The run directory.
        episodes: Episodes of each task, 1 to 50; with fixed goals all of them are the same one, and it is run once.
        n_workers: Worker processes; the result does not depend on it.

    Raises:
        RunDirectoryError: The directory does not hold a finished run.
    """
    final = run_dir / "final.pt"
    if not final.exists():
        raise RunDirectoryError(f"{run_dir}: holds no final.pt, so no finished run; train it first (must train --out)")
    try:
        state: dict[str, Any] = torch.load(final, weights_only=True, map_location="cpu")
    except Exception as error:  # noqa: BLE001 (whatever a damaged file makes torch raise)
        raise RunDirectoryError(f"{final}: cannot be read ({error}); train the run again") from None
    overrides = {"training.n_workers": str(n_workers)}
    config = load_experiment(run_dir / "config.yaml", overrides).run_config()
    agent = Agent(config, torch.device("cpu"))
    agent.load_policy(state)
    with Collector(config) as collector:
        return config, collector.evaluate(agent.acting_policy(), episodes)
