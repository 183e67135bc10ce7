"""What the logs say of the masks; worked out once for each published set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from must.masks import MaskSet
from must.masks.overlap import churn, mean_overlap, task_overlap
from must.run_files import MASK_CHURN, MASK_OVERLAP


class MaskLog:
    """Follows the published mask sets."""

    def __init__(self, mask_set: MaskSet) -> None:
        """Start from the set that is published now."""
        self._version = mask_set.version
        self._kept = mask_set.kept_elements()
        self._overlap = mean_overlap(self._kept)

    def follow(self, mask_set: MaskSet) -> dict[str, Any]:
        """Compare the set that is published now with the one before; return the fields of ``train.csv`` on masks.

        ``mask_churn`` is given only where the set is a new one.
        """
        fields: dict[str, Any] = {"mask_version": mask_set.version}
        if mask_set.version != self._version:
            before = self._kept
            self._version, self._kept = mask_set.version, mask_set.kept_elements()
            self._overlap = mean_overlap(self._kept)
            fields[MASK_CHURN] = churn(before, self._kept)
        return {**fields, MASK_OVERLAP: self._overlap}

    def pairs(self, tasks: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Return the rows of ``masks.csv`` for the set it looked at last: one for each network and pair of tasks.

        There are none where all tasks share one mask.
        """
        for network, kept in self._kept.items():
            if len(kept) == 1:
                continue
            overlap = task_overlap(kept).tolist()
            for a, task_a in enumerate(tasks):
                for b in range(a + 1, len(tasks)):
                    pair = {"task_a": task_a, "task_b": tasks[b], "overlap": overlap[a][b]}
                    yield {"version": self._version, "network": network, **pair}
