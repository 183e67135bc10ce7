"""Tables as the tests read them, and success rates of which every number can be worked out by hand."""

import csv
from pathlib import Path

from must.analysis import write_tables
from tests.support.helpers import ROOT

RATES = {  # (pruning ratio, seed) -> (E, K)
    (0.0, 0): [[0.0, 0.0], [0.8, 0.6], [0.4, 0.6]],
    (0.0, 1): [[0.0, 0.0], [0.6, 1.0], [0.8, 0.2]],
    (0.5, 0): [[0.0, 0.0], [0.2, 0.4], [1.0, 0.6]],
    (0.5, 1): [[0.0, 0.0], [0.4, 0.2], [0.8, 1.0]],
}


def shipped_logs(name: str, folder: Path) -> Path:
    """Lay out results in a folder, with the committed logs of an experiment, to write into; return it."""
    (folder / name).mkdir(parents=True)
    (folder / name / "runs").symlink_to(ROOT / "results" / "reference" / name / "runs")
    return folder


def by_hand(spec, config):
    return RATES[config.masks.pruning_ratio, config.training.seed]


def read(runs, experiment, name):
    write_tables(experiment, runs.results)
    return (runs.results / experiment.name / "tables" / name).read_text()


def records(runs, experiment, name="success_rate.csv"):
    return list(csv.DictReader(read(runs, experiment, name).splitlines()))


def lines_with(text, word):
    return [line for line in text.splitlines() if word in line]
