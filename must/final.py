"""The trained policy that a finished run leaves behind. Looking for it needs neither torch nor the simulator."""

from __future__ import annotations

from pathlib import Path

from must.errors import RunDirectoryError


def final_policy(run_dir: Path) -> Path:
    """Return the file that holds a run's trained policy.

    Raises:
        RunDirectoryError: The directory does not hold a finished run.
    """
    final = run_dir / "final.pt"
    if not final.exists():
        raise RunDirectoryError(f"{run_dir}: holds no final.pt, so no finished run; train it first (must train --out)")
    return final
