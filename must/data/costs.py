"""What training and acting cost, from the logs."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from must.data.logs import FloatArray, read_timing
from must.data.runs import Group, Run
from must.run_files import CPU_SECONDS, EPOCH, table

_FASTEST = 0.1


class Cost(NamedTuple):
    """Means over the R runs of a group; NaN where nothing is known."""

    density: float
    """Share of the policy's parameters that a task uses."""
    policy_parameters: float
    policy_parameters_kept: float
    """Those that a task uses."""
    q_parameters: float
    """Of one of the two Q networks."""
    q_parameters_kept: float
    generator_parameters: float
    """Of all mask generators and encoders."""
    flops_per_action: float
    """Two for each weight that a task uses."""
    gradient_steps_per_s: float
    """In the fastest tenth of the epochs, so that mask updates and other programs on the machine count little."""
    env_steps_per_s: float
    """Steps of training episodes, in the fastest tenth of the epochs."""
    minutes: float
    """Wall-clock time of a run: collection, learning (mask updates too) and evaluation."""
    cpu_minutes: float
    """CPU time of all processes of a run; NaN where it was not logged."""

    @property
    def all_parameters(self) -> float:
        """Of the policy, both Q networks, generators and encoders; without the target networks."""
        return self.policy_parameters + 2 * self.q_parameters + self.generator_parameters


@lru_cache(maxsize=4096)
def times_of(run: Run) -> dict[str, FloatArray]:
    """Read the times of a run; see `read_timing`."""
    return read_timing(run.directory / table("timing"))


@lru_cache(maxsize=4096)
def cost_of_run(run: Run) -> Cost:
    """Return what a run took, its log of times read if there is one.

    Raises:
        ResultsError: The log of times is damaged.
    """
    sizes = {name: float(run.sizes.get(name, math.nan)) for name in Cost._fields[1:7]}
    density = sizes["policy_parameters_kept"] / sizes["policy_parameters"]
    times, training, rates = times_of(run), run.config.training, [math.nan] * 4
    if times:
        learning = times["learn_s"][times[EPOCH] > training.pretrain_epochs]
        frames = training.epoch_frames * len(run.config.env.task_names)
        seconds = times["collect_s"] + times["learn_s"] + times["evaluate_s"]
        rates = [
            training.opt_times / float(np.quantile(learning, _FASTEST)),
            frames / float(np.quantile(times["collect_s"], _FASTEST)),
            float(seconds.sum()) / 60,
            float(times[CPU_SECONDS].sum()) / 60 if CPU_SECONDS in times else math.nan,
        ]
    return Cost(density, *sizes.values(), *rates)


@lru_cache(maxsize=1024)
def cost_of(group: Group) -> Cost:
    """Return what the runs of a group took, the mean over them; see `cost_of_run`."""
    rows = [cost_of_run(run) for run in group.finished]
    return Cost(*(np.mean(rows, axis=0).tolist() if rows else [math.nan] * len(Cost._fields)))


def seconds_of(run: Run, column: str = "") -> FloatArray:
    """Return the seconds (E,) that a run had taken at each evaluation, by the clock or of another column of its times.

    NaN where no time is known.
    """
    times = times_of(run)
    assert run.log is not None
    if not times or (column and column not in times):
        return np.full(len(run.log.epochs), np.nan)
    taken = times[column] if column else times["collect_s"] + times["learn_s"] + times["evaluate_s"]
    return np.interp(run.log.epochs, np.r_[0, times[EPOCH]], np.r_[0, np.cumsum(taken)])
