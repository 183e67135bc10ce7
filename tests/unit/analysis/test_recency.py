"""Tables say so where they compare how long ago masks were renewed."""

import pytest

from must.analysis import write_tables
from must.analysis.notes import epochs_since_renewal, recency_notes
from must.data.runs import load_results
from tests.support.reading import read

SWEEP = {"seeds": [0, 1], "pruning_ratios": [0, 0.5], "update_intervals": [10, 40]}
VARIANTS = {"late": {"masks.freeze_after": 0.9}, "early": {"masks.freeze_after": 0.5}}


def results_of(runs, experiment):
    runs.write_all(experiment)
    return load_results(experiment, runs.results)


def test_intervals_are_judged_equally_long_after_the_last_renewal(runs):
    experiment = runs.experiment(sweep=SWEEP)
    results = results_of(runs, experiment)
    ages = {epochs_since_renewal(group, 1) for group in results.groups}
    assert ages == {None, 100 - experiment.training.pretrain_epochs - 75}
    assert recency_notes(results) == []
    write_tables(experiment, runs.results)
    assert "renewal" not in read(runs, experiment, "success_rate.md")


def test_settings_that_are_judged_differently_long_after_it_are_named_under_the_table(runs):
    experiment = runs.experiment(sweep=SWEEP | {"variants": VARIANTS, "update_intervals": [10]})
    (note,) = recency_notes(results_of(runs, experiment))
    late, early = (100 - experiment.training.pretrain_epochs - last for last in (90, 50))
    assert f"begin {late} to {early} epochs after the last renewal" in note
    assert f"begin {late} to {early} epochs after" in read(runs, experiment, "success_rate.md")


@pytest.mark.parametrize(("evaluations", "named"), [(1, False), (3, True)])
def test_masks_that_are_renewed_between_evaluations_that_count_are_named(runs, evaluations, named):
    late = {"masks": {"freeze_after": 0.9}, "report": {"final_evaluations": evaluations}}
    experiment = runs.experiment(training={"epochs": 100, "pretrain_epochs": 0}, **late)
    notes = recency_notes(results_of(runs, experiment))
    assert any("still renewed during the evaluations that count" in note for note in notes) == named


def test_masks_whose_first_renewal_would_come_after_the_freeze_are_named(runs):
    experiment = runs.experiment(sweep=SWEEP | {"update_intervals": [10, 80]})
    (note,) = recency_notes(results_of(runs, experiment))
    assert note.startswith("Masks are never renewed, and so are static ones: MUST, ratio 0.5, interval 80;")
