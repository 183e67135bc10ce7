"""What training and acting cost in each setting, from the logs."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from must.analysis.load import Group, Run
from must.analysis.logs import read_timing
from must.run_files import table


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

    @property
    def all_parameters(self) -> float:
        """Of the policy, both Q networks, generators and encoders; without the target networks."""
        return self.policy_parameters + 2 * self.q_parameters + self.generator_parameters


_FASTEST = 0.1
_SIZES = Cost._fields[1:7]
"""Those that ``result.json`` holds."""


@lru_cache(maxsize=1024)
def cost_of(group: Group) -> Cost:
    """Read what the runs of a group took.

    Raises:
        ResultsError: A log of times is damaged.
    """
    rows = [_cost_of_run(run) for run in group.finished]
    return Cost(*np.mean(rows, axis=0).tolist()) if rows else Cost(*[math.nan] * len(Cost._fields))


def _cost_of_run(run: Run) -> Cost:
    sizes = {name: float(run.sizes.get(name, math.nan)) for name in _SIZES}
    density = sizes["policy_parameters_kept"] / sizes["policy_parameters"]
    times = read_timing(run.directory / table("timing"))
    if times is None:
        return Cost(density, **sizes, gradient_steps_per_s=math.nan, env_steps_per_s=math.nan, minutes=math.nan)
    training = run.config.training
    learning = times.learn[times.epochs > training.pretrain_epochs]
    frames = training.epoch_frames * len(run.config.env.task_names)
    return Cost(
        density,
        **sizes,
        gradient_steps_per_s=training.opt_times / float(np.quantile(learning, _FASTEST)),
        env_steps_per_s=frames / float(np.quantile(times.collect, _FASTEST)),
        minutes=float((times.collect + times.learn + times.evaluate).sum()) / 60,
    )
