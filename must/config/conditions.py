"""Keys that a run reads only where others of its settings have some values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from must.config.run_spec import format_value

Settings: TypeAlias = dict[str, Any]
"""Dotted key -> value."""

_APART: Settings = {"masks.update": "apart"}
_TRAINED: Settings = {"masks.rule": "generator"}  # without it generators only make the first masks, and never learn
_INFORMED: Settings = {"generator.use_trajectory_info": True}
_SUPERVISED: Settings = {"generator.use_sl_loss": True}
READ_WITH: dict[str, tuple[Settings, ...]] = {
    "masks.fade": (_APART,),
    "masks.hold_targets": (_APART | {"masks.networks": "both"},),
    "masks.update_steps": (_APART,),
    "masks.gumbel_scale": (_TRAINED,),
    "masks.relaxation": (_TRAINED,),
    "masks.mask_tau": (_TRAINED,),
    "generator.lr": (_TRAINED,),
    "generator.use_sl_loss": (_TRAINED,),
    "generator.sl_weight": (_SUPERVISED,),
    "generator.sl_steps": (_SUPERVISED | {"generator.sl_weight": None},),
    "generator.encoding": (_INFORMED, _SUPERVISED),
    "generator.trajectory_window": (_INFORMED, _SUPERVISED),
    "generator.encoder_loss": (_TRAINED | _INFORMED, _SUPERVISED),
    "generator.kl_weight": ({"generator.encoder_loss": "vae"},),
}
"""Key -> the settings with which it is read: all of one of these, each of which must be read itself."""


def ways_to_read(
    key: str, value_of: Callable[[str], Any], reads: Callable[[str], bool] = lambda _: True
) -> list[Settings]:
    """Find out what would have to be set for a key to be read.

    Args:
        key: Dotted key, of a section that the run's method reads.
        value_of: Returns the value of a key.
        reads: Returns whether the run's method reads a key, whatever the other settings are.

    Returns:
        For each way in which it can be read, the settings that are missing; for a key that is read, one has none.
    """
    found: list[Settings] = []
    for wanted in READ_WITH.get(key, ({},)):
        ways: list[Settings] = [{}] if all(map(reads, wanted)) else []
        for other, value in wanted.items():
            own = {} if format_value(value_of(other)) == format_value(value) else {other: value}
            ways = [{**way, **own, **further} for way in ways for further in ways_to_read(other, value_of, reads)]
        found += [way for way in ways if way not in found]
    return found


def is_read(key: str, value_of: Callable[[str], Any], reads: Callable[[str], bool] = lambda _: True) -> bool:
    """Return whether a run reads a key of a section that its method reads; see `ways_to_read`."""
    return {} in ways_to_read(key, value_of, reads)
