"""Whether generators that listen to trajectories have one of each task when they make the first masks.

Without, these are masks of no trajectory at all, and the first renewal wants quite other ones. What a run directory
holds is not asked, as in `must.config.unread`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from must.config.experiment import Experiment, Read
from must.config.methods import value_of
from must.config.run_spec import format_value
from must.config.schema import RunConfig
from must.errors import ConfigError
from must.sections import parse_number

EPOCHS, FRAMES, HORIZON = "training.pretrain_epochs", "training.epoch_frames", "env.horizon"
INFORMED = "generator.use_trajectory_info"


def early_masks(experiment: Experiment) -> Iterator[str]:
    """Find runs of an experiment whose first masks come before the first episode of a task ends.

    Yields:
        For each, where it is, what is wrong, and what to write instead.
    """
    variants, grid = experiment.sweep.variants or {}, experiment.sweep.grid or {}
    found: dict[str, None] = {}
    for variant, run in experiment.reads():
        if problem := _problem(run):
            found[f"{_place(variant, variants.get(variant or '', {}), grid)}{problem}"] = None
    yield from found


def require_episode(config: RunConfig, source: str) -> None:
    """Refuse a run whose first masks come before the first episode of a task ends.

    Raises:
        ConfigError: It begins with ``source``, and says what to write instead.
    """
    value = partial(value_of, config)
    problem = _problem(Read(value, partial(config.spec.reads_key, value_of=value), not config.dense))
    if problem:
        raise ConfigError(f"{source}: {EPOCHS}{problem}")


def _problem(run: Read) -> str:
    """Describe what is wrong with a run's pretraining, and what to write instead; nothing where it is long enough."""
    if not (run.has_masks and run.by_method(INFORMED)) or format_value(run.value_of(INFORMED)) == format_value(False):
        return ""
    epochs, frames, horizon = (int(parse_number(run.value_of(key))) for key in (EPOCHS, FRAMES, HORIZON))
    if epochs * frames >= horizon:
        return ""
    return (
        f": {epochs} times {FRAMES} = {frames} is less than an episode, {HORIZON} = {horizon}, from which the first "
        f"masks are made with {INFORMED}: true; write {math.ceil(horizon / frames)} or more"
    )


def _place(variant: str | None, settings: Mapping[str, Any], grid: Mapping[str, Any]) -> str:
    """Return where the number of pretraining epochs of a run is written, or has to be."""
    if EPOCHS in settings:
        return f"sweep.variants.{variant}.{EPOCHS}"
    if EPOCHS in grid:
        return f"sweep.grid.{EPOCHS}"
    return f"sweep.variants.{variant}: {EPOCHS}" if {FRAMES, INFORMED} & settings.keys() else EPOCHS
