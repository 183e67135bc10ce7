"""Which run to show when only one can be."""

from __future__ import annotations

from must.analysis.load import Results, Run, Status
from must.analysis.statistics import final_success


def best_run(results: Results) -> Run:
    """Return the finished run with the highest final success, mean over its tasks; of equals, the first in the sweep.

    One run is no evidence: it is for looking at, never for a number in a table.
    """

    def merit(run: Run) -> float:
        assert run.log is not None
        return float(final_success(run.log.success[None], results.experiment.report.final_evaluations).mean())

    return max((run for run in results.runs if run.status is Status.FINISHED), key=merit)
