"""Whether settings are judged equally long after the last renewal of their masks."""

from __future__ import annotations

from must.analysis.load import Group, Results
from must.config.schedule import first_renewal, last_renewal


def epochs_since_renewal(group: Group, evaluations: int) -> int | None:
    """Return the epochs from a group's last renewal of masks to the first evaluation that counts.

    Args:
        group: Runs of one setting.
        evaluations: How many of the last evaluations count.

    Returns:
        None where no run counts, or masks are never renewed; negative where renewals come between evaluations that
        count.
    """
    config, logs = group.config, [run.log for run in group.finished if run.log is not None]
    masks, training = config.masks, config.training
    if not logs or not config.learns_masks:
        return None
    if first_renewal(training.epochs, masks.update_interval, masks.freeze_after) is None:
        return None
    counted = int(logs[0].epochs[-evaluations]) - training.pretrain_epochs
    return counted - last_renewal(training.epochs, masks.freeze_after)


def recency_notes(results: Results) -> list[str]:
    """Return notes on settings that are judged at different times after their last renewal, or under untrained masks.

    A renewal costs success for some epochs: such a table compares how long ago it was.
    """
    evaluations = results.experiment.report.final_evaluations
    found = [epochs_since_renewal(group, evaluations) for group in results.groups]
    ages = sorted({age for age in found if age is not None})
    advice = "give all of them the same training.epochs and masks.freeze_after below 1"
    if len(ages) > 1:
        return [
            f"Compares recency: the evaluations that count begin {ages[0]} to {ages[-1]} epochs after the last renewal "
            f"of a setting's masks; {advice}."
        ]
    if ages and ages[0] <= 0:
        return [f"Masks are still renewed during the evaluations that count; {advice}."]
    return []
