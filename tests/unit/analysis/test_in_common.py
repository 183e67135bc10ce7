"""The table of what masks have in common, against a plain reading of the logs."""

import csv
import itertools

import numpy as np
import pytest

from must.config.outputs import table_names
from must.data.names import NOTHING
from tests.support.reading import lines_with, read, records

FIVE = ["reach-v3", "door-open-v3", "door-close-v3", "window-open-v3", "window-close-v3"]
NETWORKS = ("policy", "q1", "q2")


def swept(methods=("must", "static_sparse", "mt_sac"), seeds=5):
    return {"methods": list(methods), "pruning_ratios": [0.5], "update_intervals": [10], "seeds": list(range(seeds))}


def cells(*texts):
    """Return the end of a row of Markdown."""
    return f"{' | '.join(texts)} |"


def perfect(*_):
    return np.ones((2, 5))


def last_overlaps(runs, experiment, method, network):
    """Return the overlaps of the last mask set, a row for each seed."""
    rows = []
    for spec in experiment.runs():
        if spec.has("method", method):
            with (runs.directory(experiment, spec) / "masks.csv").open() as file:
                read_rows = [row for row in csv.DictReader(file) if row["network"] == network]
            last = max(int(row["version"]) for row in read_rows)
            rows.append([float(row["overlap"]) for row in read_rows if int(row["version"]) == last])
    return np.array(rows)


def churn(runs, experiment, method):
    sums = []
    for spec in experiment.runs():
        if spec.has("method", method):
            with (runs.directory(experiment, spec) / "train.csv").open() as file:
                sums.append(sum(float(row["mask_churn"] or 0) for row in csv.DictReader(file)))
    return np.mean(sums)


@pytest.fixture(name="written")
def written_(runs):
    experiment = runs.experiment(env={"tasks": FIVE}, sweep=swept())
    runs.write_all(experiment, perfect)
    return experiment


def test_its_numbers_are_those_of_the_logs(runs, written):
    by_method = {row["method_name"]: row for row in records(runs, written, "masks.csv")}
    assert set(by_method) == {"must", "static_sparse"}
    assert all(float(row["overlap_by_chance"]) == pytest.approx(1 / 3, abs=1e-6) for row in by_method.values())
    assert float(by_method["static_sparse"]["swapped"]) == 0
    must = by_method["must"]
    assert float(must["swapped"]) == pytest.approx(churn(runs, written, "must"), abs=1e-6) != 0
    for network in NETWORKS:
        overlaps = last_overlaps(runs, written, "must", network)
        correlations = [np.corrcoef(a, b)[0, 1] for a, b in itertools.combinations(overlaps, 2)]
        assert len(correlations) == 10
        assert float(must[f"overlap/{network}"]) == pytest.approx(overlaps.mean(), abs=1e-6)
        assert float(must[f"overlap_spread/{network}"]) == pytest.approx(overlaps.std(axis=1).mean(), abs=1e-6)
        assert float(must[f"agreement/{network}"]) == pytest.approx(np.mean(correlations), abs=1e-6)
        assert (
            float(must[f"agreement/{network}_low"]) < np.mean(correlations) < float(must[f"agreement/{network}_high"])
        )


def test_masks_that_share_all_alike_agree_on_nothing(runs, written):
    """Each pair of static masks has the same overlap in these logs."""
    (static,) = lines_with(read(runs, written, "masks.md"), "Static")
    assert static.split(" | ")[-8:] == ["5 of 5", "0.00", "0.33", "0.33", "0.00", NOTHING, NOTHING, f"{NOTHING} |"]


def test_masks_of_the_policy_alone_have_no_overlap_in_the_q_networks(runs, written):
    for spec in written.runs():
        if spec.has("method", "must"):
            path = runs.directory(written, spec) / "masks.csv"
            lines = path.read_text().splitlines()
            path.write_text("\n".join(line for line in lines if ",q" not in line) + "\n")
            runs.rewrite_checksums(path.parent)
    (row,) = lines_with(read(runs, written, "masks.md"), "MUST")
    assert row.endswith(cells("", NOTHING, NOTHING))
    assert "[" in row


def test_few_tasks_do_not_tell_whether_seeds_agree(runs):
    experiment = runs.experiment(env={"tasks": FIVE[:4]}, sweep=swept())
    runs.write_all(experiment, lambda *_: np.ones((2, 4)))
    text = read(runs, experiment, "masks.md")
    assert lines_with(text, "| MUST |")[0].endswith(cells(NOTHING, NOTHING, NOTHING))
    assert "not computed below 5 tasks" in text


def test_a_setting_without_runs_has_a_row_of_dashes(runs):
    experiment = runs.experiment(env={"tasks": FIVE}, sweep=swept(seeds=2))
    for spec in experiment.runs():
        if not spec.has("method", "must"):
            runs.write(experiment, spec, perfect)
    (row,) = lines_with(read(runs, experiment, "masks.md"), "| MUST |")
    assert row.endswith(cells("0 of 2", NOTHING, NOTHING, "0.33", *[NOTHING] * 4))


def test_experiments_without_masks_have_no_such_table(runs):
    assert "masks" in table_names(runs.experiment(sweep=swept()))
    assert "masks" not in table_names(runs.experiment(sweep={"methods": ["mt_sac", "magnitude"]}))
    assert "masks" not in table_names(runs.experiment(sweep=swept(), env={"tasks": ["reach-v3"]}))
