"""Which group of runs another one is compared with: dense multi-task SAC, and masks that never change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from must.config.methods import CONTROL, DEFAULT, STATIC_CONTROL

if TYPE_CHECKING:
    from must.config import Experiment
    from must.data.runs import Group

_CONTROLS = {CONTROL: 0, DEFAULT: 1}
"""Which method is the control, where several are multi-task SAC."""


def dense_control(groups: Sequence[Group], group: Group) -> Group | None:
    """Return the group of multi-task SAC, the control, that has the same value of every setting that it reads.

    None when there is none.
    """
    same = [other for other in groups if other.is_multi_task_sac and other.shared_settings == group.shared_settings]
    return min(same, key=lambda other: _CONTROLS.get(other.config.method, len(_CONTROLS)), default=None)


def static_control(groups: Sequence[Group], group: Group) -> Group | None:
    """Return the group of random masks that never change, of the same elements, to compare a group with.

    All settings of masks that static masks read are the same; of several such groups, it is the one whose generators,
    which draw the first masks, are most alike. A group whose tasks have no masks of their own is compared with the only
    static one on its tasks that has the pruning ratio that it reads, if it reads one; where there are several, with
    that of the same other settings. None without such a group.
    """
    static = [other for other in groups if other.config.method == STATIC_CONTROL and other.tasks == group.tasks]
    masks, generator = group.mask_settings
    alike = [other for other in static if other.shared_settings == group.shared_settings]
    if not group.config.has_task_masks:
        fit = [other for other in static if masks.items() <= other.mask_settings[0].items()]
        fit = [other for other in fit if other in alike] if len(fit) > 1 else fit
        return fit[0] if len(fit) == 1 else None
    fit = [other for other in alike if other.mask_settings[0].items() <= masks.items()]
    return max(
        fit, key=lambda other: sum(generator.get(k) == v for k, v in other.mask_settings[1].items()), default=None
    )


def trains_static_control(experiment: Experiment) -> bool:
    """Return whether an experiment trains static masks beside learned ones."""
    return {DEFAULT, STATIC_CONTROL} <= set(experiment.methods)
