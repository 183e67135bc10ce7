"""When masks are renewed, and by how much."""

import math

import pytest

from must.config import load_experiment, parse_experiment
from must.config.schedule import first_renewal, last_renewal, renews, swaps_allowed
from must.errors import ConfigError
from tests.support.helpers import ROOT, SMALL, merged

LENGTHS = [2, 3, 10, 149, 199, 299, 3980, 10_000]
INTERVALS = [1, 2, 20, 25, 50, 60, 100, 400]


@pytest.mark.parametrize("epochs", LENGTHS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.75, 0.999, 1.0])
def test_all_intervals_have_their_last_renewal_in_the_same_epoch_and_never_in_the_last_one(epochs, share):
    last = last_renewal(epochs, share)
    assert last <= share * epochs + 1e-6
    assert last < epochs
    for interval in INTERVALS:
        numbers = [number for number in range(1, epochs + 1) if renews(number, epochs, interval, share)]
        assert numbers == sorted(range(last, interval - 1, -interval)), "counted backwards, after a whole interval"
        assert first_renewal(epochs, interval, share) == (numbers[0] if numbers else None)


def test_the_bound_falls_along_a_cosine_to_the_freeze():
    for kept in (80, 200, 16_000):
        allowed = [swaps_allowed(kept, number, 1000, 0.75, 0.1) for number in range(1, 751)]
        assert allowed == sorted(allowed, reverse=True)
        assert allowed[0] in (int(0.1 * kept), int(0.1 * kept) - 1)
        assert allowed[374] == math.floor(0.05 * kept + 1e-6)
        assert allowed[-1] == 1
    assert swaps_allowed(80, 500, 1000, 0.75, None) == 80
    assert swaps_allowed(8, 1, 1000, 0.75, 0.1) == 1, "a renewal that can change nothing would be none"


def masked_experiments():
    names = sorted(path.stem for path in (ROOT / "config").glob("*.yaml"))
    return [name for name in names if any(run.learns_masks for run in run_configs(name))]


def run_configs(name: str):
    experiment = load_experiment(ROOT / "config" / f"{name}.yaml")
    seen = {}
    for spec in experiment.runs():
        settings = tuple(pair for pair in spec.params if pair[0] != "seed")
        if settings not in seen:
            seen[settings] = parse_experiment(
                experiment.model_dump(mode="json"), experiment.overrides(spec)
            ).run_config()
    return list(seen.values())


@pytest.mark.parametrize("name", masked_experiments())
def test_every_configuration_that_ships_judges_masks_that_were_trained_and_equally_long(name):
    """Evaluations that count come after the freeze, and the last renewal of every setting is the same epoch."""
    evaluations = load_experiment(ROOT / "config" / f"{name}.yaml").report.final_evaluations
    last, fewest = set(), None
    for run in run_configs(name):
        if not run.learns_masks:
            continue
        epochs, masks = run.training.epochs, run.masks
        renewals = [n for n in range(1, epochs + 1) if renews(n, epochs, masks.update_interval, masks.freeze_after)]
        total = run.training.pretrain_epochs + epochs
        judged = {total, *range(run.evaluation.interval, total + 1, run.evaluation.interval)}
        first_counted = sorted(judged)[-evaluations] - run.training.pretrain_epochs
        assert renewals, "masks that are to be learned are renewed"
        assert renewals[-1] < first_counted, "every evaluation that counts is one of frozen masks"
        fewest = min(fewest or epochs, (first_counted - renewals[-1]) / epochs)
        last.add(renewals[-1])
    assert len(last) == 1, "no setting is judged sooner after its last renewal than another"
    assert fewest > 0.01


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ({"rule": "saliency", "max_churn": None}, r"rule: saliency swaps max_churn.*give max_churn"),
        ({"max_churn": 0}, "max_churn"),
        ({"freeze_after": 0}, "freeze_after"),
        ({"freeze_after": 1.1}, "freeze_after"),
        ({"rule": "random"}, "rule"),
        ({"networks": "critic"}, "networks"),
    ],
)
def test_settings_that_could_not_do_what_they_say_are_refused(masks, message):
    with pytest.raises(ConfigError, match=message):
        parse_experiment(merged(SMALL, {"masks": masks})).run_config()
