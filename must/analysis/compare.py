"""Two settings side by side: their difference, how sure it is, and how many more seeds would settle one of a size."""

from __future__ import annotations

from must.analysis.statistics import (
    MIN_SEEDS,
    FloatArray,
    Interval,
    difference,
    intervals,
    mean,
    probability_of_improvement,
    seeds_to_settle,
    with_interval,
)
from must.data import Group, Results
from must.errors import ConfigError
from must.words import count_of

_MOST = 200
"""Seeds that nobody runs: more than these are not looked for."""


def compare(settings: list[tuple[str, Results, Group]], effect: float, power: float) -> str:
    """Describe how two settings compare.

    Args:
        settings: Of either: name, experiment and runs.
        effect: Size of a difference that is to be settled.
        power: How often that many seeds are to show it.

    Raises:
        ConfigError: Both are the same setting, they have other tasks or rewards, or a number makes no sense.
    """
    if not 0 < effect < 1:
        raise ConfigError(f"--difference {effect:g}: is a difference of success rates; use more than 0 and less than 1")
    if not 0 < power < 1:
        raise ConfigError(f"--power {power:g}: is a probability; use more than 0 and less than 1, such as 0.8")
    (first, ours, tasks), (second, theirs, others) = (
        (name, results.final(group), group.tasks) for name, results, group in settings
    )
    if set(tasks) != set(others):
        raise ConfigError(f"{first} and {second}: were trained on other tasks, and their success cannot be compared")
    warnings = _judged_otherwise(*((name, group) for name, _, group in settings))
    theirs = theirs[:, [others.index(task) for task in tasks]]
    gap = Interval(*map(float, intervals(difference, ours, theirs, bounds=(-1, 1))))
    better = with_interval(probability_of_improvement, ours, theirs)
    width = max(len(first), len(second), len("difference"))
    lines = [
        f"{name:<{width}}  {_text(with_interval(mean, scores))}  {count_of(len(scores), 'seed')}"
        for name, scores in ((first, ours), (second, theirs))
    ]
    lines += [
        f"{'difference':<{width}} {gap.value:+.2f}{_bounds(gap, '+')}",
        f"{'P(better)':<{width}}  {_text(better)}",
    ]
    return "\n".join([*lines, *warnings, *_verdict(gap, ours, theirs, effect, power)])


def _judged_otherwise(first: tuple[str, Group], second: tuple[str, Group]) -> list[str]:
    """Warn of settings whose success is measured in different ways; refuse those where it means something else."""
    (name, ours), (other, theirs) = first, second
    if ours.runs[0].directory == theirs.runs[0].directory:
        raise ConfigError(f"{name}: is compared with itself; name two settings")
    if ours.config.env.reward != theirs.config.env.reward:
        raise ConfigError(
            f"{name} and {other}: have the rewards {ours.config.env.reward} and {theirs.config.env.reward}, "
            "which judge success differently; compare settings of the same reward"
        )
    judged = [(f"{group.config.env.goals} goals", *group.config.evaluated(last=True)) for group in (ours, theirs)]
    if judged[0] == judged[1]:
        return []
    texts = [f"{count_of(number, 'episode')} of {horizon} steps at {goals}" for goals, number, horizon in judged]
    return [f"Warning: they are judged differently, by {texts[0]} and by {texts[1]}."]


def _verdict(gap: Interval, ours: FloatArray, theirs: FloatArray, effect: float, power: float) -> list[str]:
    """Return whether the difference is settled, and how many seeds settle one of the size asked for."""
    fewest = min(len(ours), len(theirs))
    if fewest < MIN_SEEDS:
        lines = [f"Warning: below {MIN_SEEDS} seeds there is no interval, and the difference may be chance."]
    elif gap.low <= 0 <= gap.high:
        lines = ["Warning: the interval of the difference holds zero: the runs do not say which is better."]
    else:
        lines = ["The interval of the difference leaves out zero."]
    if fewest < 2:
        return [*lines, "How many more seeds would settle it cannot be said from a single run of a setting."]
    needed = seeds_to_settle(ours, theirs, effect, power, _MOST)
    what = f"to show a difference of {effect:g} in {100 * power:.0f} % of such experiments"
    if needed > _MOST:
        return [*lines, f"More than {_MOST} seeds of each are needed {what}."]
    more = [max(0, needed - len(scores)) for scores in (ours, theirs)]
    asked = "no more" if not any(more) else f"{more[0]} and {more[1]} more" if more[0] != more[1] else f"{more[0]} more"
    return [*lines, f"{needed} seeds of each are needed {what}, by simulation from these runs: {asked}."]


def _text(interval: Interval) -> str:
    return f"{interval.value:.2f}{_bounds(interval)}"


def _bounds(interval: Interval, sign: str = "") -> str:
    return "" if interval.low != interval.low else f" [{interval.low:{sign}.2f}, {interval.high:{sign}.2f}]"
