"""Comparing two settings: the difference, how sure it is, and the seeds that would settle one of a size."""

import re

import numpy as np
import pytest
from scipy import stats

from must.analysis.statistics import difference, intervals, seeds_to_settle
from must.cli import main
from must.config import dump

RNG = np.random.default_rng(3)


@pytest.fixture
def compare(runs, tmp_path, capsys):
    """Return what ``must compare`` prints of an experiment, and its exit status."""

    def run(experiment, *arguments, config=True):
        path = tmp_path / "config.yaml"
        path.write_text(dump(experiment))
        (runs.results / experiment.name / "config.yaml").write_text(dump(experiment))
        named = ["--config", str(path), "--results", str(runs.results)] if config else []
        status = main(["compare", *arguments, *named])
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    return run


def five(runs, shift=0.1, seeds=5):
    experiment = runs.experiment(sweep={"seeds": list(range(seeds)), "pruning_ratios": [0, 0.5]})
    rates = {0.0: 0.5, 0.5: 0.5 + shift}
    runs.write_all(
        experiment, lambda _, run: np.full((2, 2), rates[run.masks.pruning_ratio] + 0.02 * (run.training.seed - 2))
    )
    return experiment


def test_the_interval_of_a_difference_is_welchs():
    ours, theirs = RNG.uniform(0.4, 0.9, (6, 1)), RNG.uniform(0.2, 0.9, (8, 1))
    found = stats.ttest_ind(ours[:, 0], theirs[:, 0], equal_var=False).confidence_interval(0.95)
    value, low, high = intervals(difference, ours, theirs, bounds=(-1, 1))
    np.testing.assert_allclose([value, low, high], [ours.mean() - theirs.mean(), found.low, found.high])


def test_the_seeds_that_are_needed_are_those_of_the_textbook_for_a_normal_scatter():
    normal = stats.norm.ppf((np.arange(1, 200) - 0.5) / 199)[:, None]
    for effect, power in ((1.0, 0.8), (0.7, 0.9)):
        needed = seeds_to_settle(normal, normal, effect, power)
        exact = next(n for n in range(5, 100) if _power(n, effect) >= power)
        assert abs(needed - exact) <= 2
    assert seeds_to_settle(normal, normal, 5.0, 0.8) == 5
    assert seeds_to_settle(normal, normal, 0.1, 0.8, most=50) == 51


def _power(n, effect):
    critical = stats.t.ppf(0.975, 2 * n - 2)
    return 1 - stats.nct.cdf(critical, 2 * n - 2, effect * np.sqrt(n / 2))


def test_a_larger_difference_needs_fewer_seeds_and_the_answer_is_always_the_same():
    ours, theirs = RNG.uniform(0.4, 0.9, (5, 3)), RNG.uniform(0.2, 0.9, (5, 3))
    needed = [seeds_to_settle(ours, theirs, effect, 0.8) for effect in (0.05, 0.1, 0.2, 0.4)]
    assert needed == sorted(needed, reverse=True)
    assert needed == [seeds_to_settle(ours, theirs, effect, 0.8) for effect in (0.05, 0.1, 0.2, 0.4)]


def test_a_difference_is_printed_with_interval_and_probability(runs, compare):
    status, text = compare(five(runs), "must, ratio 0.5", "MT-SAC, ratio 0", "--difference", "0.2")
    assert status == 0
    first, second, gap, better, verdict, seeds = text.splitlines()
    assert first.split() == ["MUST,", "ratio", "0.5", "0.60", "[0.56,", "0.64]", "5", "seeds"]
    assert second.split() == ["MT-SAC,", "ratio", "0", "0.50", "[0.46,", "0.54]", "5", "seeds"]
    low, high = 0.1 - stats.t.ppf(0.975, 8) * 0.02, 0.1 + stats.t.ppf(0.975, 8) * 0.02
    assert gap.split() == f"difference +0.10 [{low:+.2f}, {high:+.2f}]".split()
    assert better.split()[:2] == ["P(better)", "1.00"]
    assert verdict == "The interval of the difference leaves out zero."
    assert seeds.startswith("5 seeds of each are needed to show a difference of 0.2 in 80 % of such experiments")
    assert seeds.endswith("no more.")


def test_what_the_runs_do_not_settle_is_a_warning_with_the_seeds_that_would(runs, compare):
    status, text = compare(five(runs, shift=0.01), "MUST, ratio 0.5", "MT-SAC, ratio 0", "--difference", "0.02")
    assert status == 0
    assert "Warning: the interval of the difference holds zero" in text
    assert " more." in text.splitlines()[-1]


def test_few_seeds_and_single_runs_are_said(runs, compare):
    _, text = compare(five(runs, seeds=2), "MUST, ratio 0.5", "MT-SAC, ratio 0")
    assert "Warning: below 5 seeds there is no interval" in text
    assert "seeds of each are needed" in text


def test_a_single_run_says_nothing_of_the_seeds_needed(runs, compare):
    _, text = compare(five(runs, seeds=1), "MUST, ratio 0.5", "MT-SAC, ratio 0")
    assert "cannot be said from a single run" in text


def test_settings_of_two_directories_are_compared(runs, compare):
    one = five(runs)
    other = runs.experiment(name="other", sweep={"seeds": list(range(5)), "pruning_ratios": [0.5]})
    runs.write_all(other, lambda *_: np.full((2, 2), 0.9))
    (runs.results / "other" / "config.yaml").write_text(dump(other))
    named = f"{runs.results / 'fake'}:MUST, ratio 0.5"
    status, text = compare(one, str(runs.results / "other"), named, config=False)
    assert status == 0, text
    assert "+0.30" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["MUSTARD", "MT-SAC, ratio 0"], "MUSTARD: is no setting .* it has: MT-SAC, ratio 0; MUST, ratio 0.5"),
        (["MUST, ratio 0.5", "MT-SAC, ratio 0", "--difference", "0"], "--difference 0: .* more than 0"),
        (["MUST, ratio 0.5", "MT-SAC, ratio 0", "--difference", "nan"], "--difference nan: .* more than 0"),
        (["MUST, ratio 0.5", "MT-SAC, ratio 0", "--power", "1"], "--power 1: .* less than 1"),
        (["MUST, ratio 0.5", ""], "is no setting of experiment"),
        (["MUST, ratio 0.5", "MUST, ratio 0.5"], "compared with itself"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_write(runs, compare, arguments, message):
    status, text = compare(five(runs), *arguments)
    assert status == 2
    assert len(text.splitlines()) == 1
    assert re.search(message, text)


def test_a_name_without_an_experiment_and_other_tasks_are_mistakes(runs, compare):
    experiment = five(runs)
    status, text = compare(experiment, "MUST, ratio 0.5", "MT-SAC, ratio 0", config=False)
    assert (status, "--config FILE" in text) == (2, True)
    other = runs.experiment(name="other", env={"tasks": ["reach-v3"]}, sweep={"seeds": [0], "pruning_ratios": [0.5]})
    runs.write_all(other)
    (runs.results / "other" / "config.yaml").write_text(dump(other))
    status, text = compare(experiment, "MUST, ratio 0.5", str(runs.results / "other"))
    assert (status, "other tasks" in text) == (2, True)


@pytest.mark.parametrize(
    ("section", "message", "expected"),
    [
        ({"env": {"reward": "v1"}}, "have the rewards v2 and v1", 2),
        (
            {"env": {"horizon": 100}},
            "differently, by 3 episodes of 150 steps at random goals and by 3 episodes of 100",
            0,
        ),
        ({"env": {"goals": "fixed"}}, "and by 1 episode of 150 steps at fixed goals", 0),
        ({"evaluation": {"final_episodes": 50}}, "and by 50 episodes of 150 steps", 0),
    ],
)
def test_settings_that_are_judged_otherwise_are_refused_or_named(runs, compare, section, message, expected):
    experiment = five(runs)
    own = {"tasks": ["reach-v3", "door-open-v3"]}
    changed = {"env": own | section.get("env", {}), "evaluation": section.get("evaluation", {})}
    other = runs.experiment(name="other", sweep={"seeds": [0], "pruning_ratios": [0.5]}, **changed)
    runs.write_all(other)
    (runs.results / "other" / "config.yaml").write_text(dump(other))
    status, text = compare(experiment, "MUST, ratio 0.5", str(runs.results / "other"))
    assert status == expected, text
    assert message in text
