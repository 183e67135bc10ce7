"""Tables of aggregates and of costs: numbers worked out by hand."""

import json

import pytest

from must.analysis import write_tables
from must.errors import ResultsError
from tests.support.reading import by_hand, lines_with, read, records


def test_aggregates_by_hand(runs):
    experiment = runs.experiment()
    runs.write_all(experiment, by_hand)
    dense, sparse = records(runs, experiment, "aggregates.csv")
    # Means over seeds: dense .6 and .4, pruned .9 and .8.
    assert (dense["median"], sparse["median"]) == ("0.500000", "0.850000")
    assert (dense["optimality_gap"], sparse["optimality_gap"]) == ("0.500000", "0.150000")
    # Each task: three pairs of four are won, one is a tie.
    assert dense["probability_of_improvement_over_dense"] == ""
    assert sparse["probability_of_improvement_over_dense"] == "0.875000"
    # Dense curves 0 .7 .5 and 0 .8 .5, pruned 0 .3 .8 and 0 .3 .9, at evenly spaced evaluations.
    assert (dense["area_under_curve"], sparse["area_under_curve"]) == ("0.500000", "0.362500")
    # Of each run and task: dense .5 .45 .5 .55, pruned .35 .35 .4 .35.
    assert sparse["area_probability_of_improvement_over_dense"] == "0.000000"
    assert not any("static" in name for name in sparse)
    assert (dense["steps_to_success_rate"], dense["runs_that_reached_it"]) == (" 10500", "1")
    assert (sparse["steps_to_success_rate"], sparse["runs_that_reached_it"]) == ("18000 18000", "2")
    text = read(runs, experiment, "aggregates.md")
    assert lines_with(text, "MT-SAC")[0].endswith("| \N{EN DASH} | **0.50** | \N{EN DASH} | 10.5k (1 of 2) |")
    assert lines_with(text, "MUST")[0].endswith("| 0.36 | 0.00 | 18.0k |")
    assert "**0.15**" in lines_with(text, "MUST")[0]  # of the gaps the smallest is the best


def test_costs_are_those_of_the_logs(runs):
    experiment = runs.experiment()
    runs.write_all(experiment, by_hand)
    dense, sparse = records(runs, experiment, "cost.csv")
    assert (dense["density"], sparse["density"]) == ("1.000000", "0.500000")
    training = experiment.training
    assert float(sparse["gradient_steps_per_s"]) == training.opt_times / 4  # mutes the tenth epochs, of eight seconds
    assert float(sparse["env_steps_per_s"]) == 2 * training.epoch_frames / 2
    assert float(sparse["minutes"]) == pytest.approx((120 * 3 + 90 * 4 + 10 * 8) / 60)
    row = lines_with(read(runs, experiment, "cost.md"), "MUST")
    assert row == [
        "| MUST | 0.5 | 10 | 2 of 2 | 0.50 | 1.00k | 500 | 93.1k | 5.26M | 50.0 | 150 | 13.3 | \N{EN DASH} |"
    ]


def test_cpu_minutes_are_shown_where_all_runs_of_a_setting_logged_them(runs):
    experiment = runs.experiment()
    dense, _, sparse, other = runs.write_all(experiment, by_hand)
    for directory, seconds in ((dense, 3), (sparse, 3), (other, 5)):
        first, *rows = (directory / "timing.csv").read_text().splitlines()
        lines = [f"{first},cpu_s", *(f"{row},{seconds}" for row in rows)]
        (directory / "timing.csv").write_text("\n".join(lines) + "\n")
    dense, sparse = records(runs, experiment, "cost.csv")
    assert dense["cpu_minutes"] == ""
    assert float(sparse["cpu_minutes"]) == pytest.approx(120 * 4 / 60)
    assert lines_with(read(runs, experiment, "cost.md"), "MUST")[0].endswith("| 13.3 | 8.0 |")


def test_runs_without_sizes_or_times_have_no_costs(runs):
    experiment = runs.experiment()
    for directory in runs.write_all(experiment, by_hand):
        (directory / "timing.csv").unlink()
        result = json.loads((directory / "result.json").read_text())
        del result["sizes"]
        (directory / "result.json").write_text(json.dumps(result))
    nothing = " | ".join(["\N{EN DASH}"] * 9)
    assert lines_with(read(runs, experiment, "cost.md"), "MUST") == [f"| MUST | 0.5 | 10 | 2 of 2 | {nothing} |"]


def test_damaged_times_are_an_error_that_names_the_line(runs):
    experiment = runs.experiment()
    timing = runs.write_all(experiment, by_hand)[0] / "timing.csv"
    timing.write_text(timing.read_text().replace("\n3,", "\nthree,"))
    with pytest.raises(ResultsError, match=r"timing\.csv: line 4: 'three' is not a finite number"):
        write_tables(experiment, runs.results)
