"""Tables with times say so where runs were made by several versions of the code, or on several processors."""

import pytest

from must.analysis import write_tables
from tests.support.reading import read

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SWEEP = {"seeds": [0, 1], "methods": ["mt_sac", "must"]}


def tables_of(runs, **manifests):
    """Return the tables of an experiment whose runs of MT-SAC have these entries in their manifests."""
    experiment = runs.experiment(sweep=SWEEP)
    for spec in experiment.runs():
        runs.write(experiment, spec, **({} if "method~must" in spec.path else manifests))
    write_tables(experiment, runs.results)
    return {name: read(runs, experiment, f"{name}.md") for name in ("comparison", "cost", "success_rate")}


@pytest.mark.parametrize(
    ("manifests", "note"),
    [
        ({"git_commit": "b" * 40, "cpu": "Zen 5"}, "Times are of 2 commits:"),
        (
            {
                "starts": [
                    {"git_commit": COMMIT, "epoch": epoch, "cpu": cpu} for epoch, cpu in ((0, "Zen 4"), (50, "Zen 5"))
                ]
            },
            "Times are of 2 processors (Zen 4; Zen 5):",
        ),
    ],
)
def test_times_of_different_code_or_processors_are_named_under_the_table(runs, manifests, note):
    tables = tables_of(runs, **manifests)
    assert note in tables["comparison"]
    assert note in tables["cost"]
    assert "Times are of" not in tables["success_rate"]


def test_times_of_the_same_code_and_processor_need_no_note(runs):
    assert not any("Times are of" in table for table in tables_of(runs).values())
