"""Evaluating a trained policy from its run directory."""

from __future__ import annotations

import pickle
import textwrap
from collections.abc import Mapping
from pathlib import Path

import torch

from must.algorithms import make_agent
from must.collect import Collector
from must.config import RunConfig, load_experiment
from must.config.evaluation import Episodes
from must.errors import RunDirectoryError
from must.numpy_policy import NumpyPolicy
from must.policy_files import read_policy
from must.run_files import CONFIG, FINAL, final_policy
from must.types import EvalResult


def evaluate(run_dir: Path, episodes: int, n_workers: int, horizon: int | None = None) -> tuple[RunConfig, EvalResult]:
    """Evaluate the policy of a finished run, on the same goals as the run's own evaluations.

    Args:
        run_dir: The run directory, or the directory of a policy alone (one of its milestones, one of an archive).
        episodes: Episodes of each task, 1 to 50; with fixed goals all of them are the same one, and it is run once.
        n_workers: Worker processes; the result does not depend on it.
        horizon: Steps of an episode (default: those of the run's last evaluation).

    Raises:
        RunDirectoryError: The directory does not hold a finished run.
    """
    config, policy = load_policy(run_dir, {"training.n_workers": str(n_workers)})
    with Collector(config) as collector:
        return config, collector.evaluate(policy, *asked(config, episodes, horizon))


def asked(config: RunConfig, episodes: int, horizon: int | None) -> Episodes:
    """Return the episodes of each task that an evaluation has for which so many, of so many steps, were asked."""
    fixed = config.env.goals == "fixed"  # all of them would be the same one
    return Episodes(1 if fixed else episodes, horizon or config.evaluated(last=True).horizon)


def load_policy(run_dir: Path, overrides: Mapping[str, str] | None = None) -> tuple[RunConfig, NumpyPolicy]:
    """Read the settings of a finished run, and its policy with the masks it published last.

    Args:
        run_dir: The run directory.
        overrides: Settings to replace; see `load_experiment`.

    Raises:
        RunDirectoryError: The directory does not hold a finished run.
    """
    final = final_policy(run_dir)
    config = load_experiment(run_dir / CONFIG, overrides).run_config()
    agent = make_agent(config, torch.device("cpu"))
    try:
        agent.load_policy(read_policy(final))
    except Exception as error:  # noqa: BLE001 (whatever a damaged file makes torch raise)
        words = "" if isinstance(error, pickle.UnpicklingError) else str(error)  # torch explains its own history there
        reason = textwrap.shorten(words, 80, placeholder=" ...") or type(error).__name__
        again = final.name == FINAL
        mend = f"delete {run_dir} to train the run again" if again else "take it from the archive or the run anew"
        raise RunDirectoryError(f"{final}: is damaged ({reason}); {mend}") from None
    return config, agent.numpy_policy()
