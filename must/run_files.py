"""The contract of a run directory: the names of its files, and the columns of its tables.

Training writes them, everything else reads them. Neither torch nor the simulator is needed here.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from must.errors import RunDirectoryError

CONFIG = "config.yaml"
"""The run's settings, all of them."""
MANIFEST = "manifest.json"
"""What the run was made with, and how it stands."""
RESULT = "result.json"
"""The last evaluation and checksums of the logs: a run that has it is finished."""
FINAL = "final.pt"
"""The trained policy."""
SHARED = "model.safetensors"
"""A policy as it is given to others, beside its `CONFIG`: in `MILESTONES`, and in what ``must export`` writes."""
MILESTONES = "milestones"
"""A directory for each policy that was kept on the way."""
CHECKPOINTS = "checkpoints"
TEXT_LOG = "train.log"

LOGS = ("eval", "train", "masks", "timing")
"""The tables, by the names that checkpoints and live logs have for them."""
CHECKED_LOGS = ("eval", "train", "masks")
"""Those that `RESULT` holds checksums of; the times are those of a machine, not of a result."""

EPOCH, ENV_STEPS, MEAN_SUCCESS = "epoch", "env_steps", "mean_success"
MASK_CHURN, MASK_OVERLAP = "mask_churn", "mask_overlap"
MASK_COLUMNS = (EPOCH, "version", "network", "task_a", "task_b", "overlap")
"""Of ``masks.csv``: how much of a network two tasks share."""
CLOCK_COLUMNS = ("collect_s", "learn_s", "evaluate_s")
"""Of ``timing.csv``: seconds of each epoch by the clock."""
CPU_SECONDS = "cpu_s"
"""Another one, which the first runs lack: seconds of CPU, of the training process and its workers."""
TIMING_COLUMNS = (EPOCH, *CLOCK_COLUMNS, CPU_SECONDS)


def table(log: str) -> str:
    """Return the name of a table's file, such as ``eval.csv``."""
    return f"{log}.csv"


def success_columns(tasks: Sequence[str]) -> list[str]:
    """Return the columns of ``eval.csv`` with the tasks' success rates."""
    return [f"success/{task}" for task in tasks]


def return_columns(tasks: Sequence[str]) -> list[str]:
    """Return the columns of ``eval.csv`` with the tasks' mean returns, of the unscaled reward."""
    return [f"return/{task}" for task in tasks]


def temperature_columns(tasks: Sequence[str]) -> list[str]:
    """Return the columns of ``train.csv`` with the tasks' temperatures."""
    return [f"temperature/{task}" for task in tasks]


def evaluation_columns(tasks: Sequence[str]) -> list[str]:
    """Return all columns of ``eval.csv``."""
    return [EPOCH, ENV_STEPS, MEAN_SUCCESS, *success_columns(tasks), *return_columns(tasks)]


def final_policy(run_dir: Path) -> Path:
    """Return the file that holds the trained policy of a run directory, or of a directory of a policy alone.

    Raises:
        RunDirectoryError: The directory does not hold a finished run, nor a policy.
    """
    for name in (FINAL, SHARED):
        if (run_dir / name).exists():
            return run_dir / name
    if (run_dir / RESULT).exists():
        again = f"must train --config {shlex.quote(str(run_dir / CONFIG))} --out OTHER"
        raise RunDirectoryError(
            f"{run_dir}: is finished, but its weights ({FINAL}) are not here: logs are shared without them; "
            f"train it again: {again}"
        )
    raise RunDirectoryError(
        f"{run_dir}: holds no {FINAL}, so no finished run, and no {SHARED}; train it first (must train --out)"
    )
