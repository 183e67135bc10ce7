"""What the tasks' masks have in common at the end of runs, and whether runs agree on it: the table of masks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from must.analysis.columns import Column, number, of_intervals, of_numbers
from must.analysis.statistics import (
    MIN_TASKS,
    NOTHING,
    FloatArray,
    Interval,
    agreement,
    independent_overlap,
    with_interval,
)
from must.data import Group, Results
from must.data.logs import read_last_overlaps, read_mask_churn
from must.run_files import table

_NETWORKS = {"policy": "policy", "q1": "Q1", "q2": "Q2"}
"""Network -> how tables name it."""


class _InCommon(NamedTuple):
    """The masks of a group of R runs."""

    swapped: FloatArray
    """(R,) shares of the kept elements that the renewals of a run replaced, added up."""
    overlaps: Mapping[str, FloatArray]
    """Network -> (R, P) overlaps of the P pairs of tasks in the last mask set; P is 0 where it has no masks."""


def masks_in_common(_: Results, groups: Sequence[Group]) -> list[Column]:
    """Return how far masks moved, how much pairs of tasks share, and how well the seeds agree on who shares much."""
    found = list(map(_read, groups))
    columns = [
        Column("", (), [{"seeds": len(group.finished)} for group in groups]),
        of_numbers("Swapped", "swapped", [_mean(each.swapped) for each in found], number),
    ]
    for network in _NETWORKS:
        overlaps, shown = [each.overlaps[network] for each in found], network == "policy"
        means, spreads = list(map(_mean, overlaps)), list(map(_spread, overlaps))
        columns.append(of_numbers("Overlap" if shown else "", f"overlap/{network}", means, number))
        if shown:
            chance = [independent_overlap(group.pruning_ratio) for group in groups]
            columns.append(of_numbers("By chance", "overlap_by_chance", chance, number))
        columns.append(of_numbers("Spread" if shown else "", f"overlap_spread/{network}", spreads, number))
    for network, name in _NETWORKS.items():
        agreed = [_agreement(each.overlaps[network]) for each in found]
        columns.append(of_intervals(f"Agreement, {name}", f"agreement/{network}", agreed, highest=None))
    return columns


def _read(group: Group) -> _InCommon:
    learns, above = group.config.learns_masks, np.triu_indices(len(group.tasks), 1)
    swapped = [read_mask_churn(run.directory / table("train"))[1].sum() if learns else 0.0 for run in group.finished]
    logs = [read_last_overlaps(run.directory / table("masks"), group.tasks, tuple(_NETWORKS)) for run in group.finished]
    overlaps = {}
    for network in _NETWORKS:
        sets = [log[network][1] for log in logs]
        masked = bool(sets) and all(map(len, sets))
        overlaps[network] = np.array([each[-1][above] for each in sets]) if masked else np.zeros((len(sets), 0))
    return _InCommon(np.array(swapped), overlaps)


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if values.size else math.nan


def _spread(overlaps: FloatArray) -> float:
    """Return the standard deviation over the pairs of a run, the mean over the runs; 0 for a single pair."""
    return float(overlaps.std(axis=1).mean()) if overlaps.size else math.nan


def _agreement(overlaps: FloatArray) -> Interval:
    enough = overlaps.shape[1] >= math.comb(MIN_TASKS, 2)
    return with_interval(agreement, overlaps, bounds=(-1, 1)) if enough else NOTHING
