"""How the runs of a sweep are dealt to jobs, where several share one (`resources.runs_per_job`)."""

from __future__ import annotations

from collections.abc import Sequence

from must.config import RunSpec


def make_batches(runs: Sequence[RunSpec], size: int) -> dict[str, list[str]]:
    """Divide runs into jobs: batch number -> run paths. Seed by seed, so that added seeds only add batches."""
    order = [spec.path for spec in sorted(runs, key=lambda spec: int(dict(spec.params)["seed"]))]
    return {f"{start // size:04}": order[start : start + size] for start in range(0, len(order), size)}
