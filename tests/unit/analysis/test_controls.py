"""Which group is the control of another one: it has the same value of everything that it reads."""

from dataclasses import replace

import numpy as np

from must.data import names as labels
from tests.support.reading import lines_with, read, records

LRS = {"sac.lr": [1e-4, 1e-3]}


def by_lr(runs):
    """Results of MUST, static masks and MT-SAC at two learning rates: (method, learning rate) -> group."""
    swept = {"methods": ["must", "static_sparse", "mt_sac"], "pruning_ratios": [0.5], "update_intervals": [10]}
    experiment, results = runs.results_of(lambda *_: np.ones((2, 2)), sweep=swept | {"seeds": [0, 1], "grid": LRS})
    return experiment, results, {(group.config.method, group.config.sac.lr): group for group in results.groups}


def test_controls_have_the_same_value_on_every_axis(runs):
    _, results, groups = by_lr(runs)
    assert len(groups) == 6
    for lr in LRS["sac.lr"]:
        assert results.control_of(groups["must", lr]) is groups["mt_sac", lr]
        assert results.static_control_of(groups["must", lr]) is groups["static_sparse", lr]


def test_what_has_no_masks_is_compared_with_the_static_ones_that_fit(runs):
    _, results, groups = by_lr(runs)
    for lr in LRS["sac.lr"]:
        assert results.static_control_of(groups["mt_sac", lr]) is groups["static_sparse", lr]
    variants = {
        "static": {"method": "static_sparse"},
        "static-90": {"method": "static_sparse", "masks.pruning_ratio": 0.9},
        "same-cost": {"method": "equal_cost"},
        "same-cost-90": {"method": "equal_cost", "masks.pruning_ratio": 0.9},
        "must": {},
        "dense": {"method": "mt_sac"},
        "separate": {"method": "single_task", "network.hidden_sizes": [80, 80]},
    }
    sweep = {"pruning_ratios": [0.8], "update_intervals": [10], "seeds": [0]}
    _, results = runs.results_of(lambda *_: np.ones((2, 2)), name="two", sweep=sweep | {"variants": variants})
    named = {group.settings["variant"]: group for group in results.groups}
    found = {name: results.static_control_of(group) for name, group in named.items()}
    assert found["must"] is found["static"] is found["same-cost"] is named["static"]
    assert found["same-cost-90"] is named["static-90"]
    assert found["dense"] is found["separate"] is None  # which of the two?
    del variants["static-90"]
    _, results = runs.results_of(lambda *_: np.ones((2, 2)), name="one", sweep=sweep | {"variants": variants})
    named = {group.settings["variant"]: group for group in results.groups}
    for name in ("must", "dense", "separate", "same-cost"):
        assert results.static_control_of(named[name]) is named["static"]
    assert results.static_control_of(named["same-cost-90"]) is None


def test_a_control_of_another_value_is_none(runs):
    _, results, groups = by_lr(runs)
    left = tuple(
        group for group in results.groups if group not in (groups["mt_sac", 1e-3], groups["static_sparse", 1e-3])
    )
    results = replace(results, groups=left)
    assert results.control_of(groups["must", 1e-3]) is None
    assert results.static_control_of(groups["must", 1e-3]) is None


def test_an_axis_of_the_grid_is_a_column_and_a_part_of_labels(runs):
    experiment, _, groups = by_lr(runs)
    assert labels.heading("sac_lr") == "Learning rate"
    assert labels.describe(groups["must", 1e-3].settings.items()).endswith("learning rate 0.001")
    assert labels.heading("sac_target_entropy") == "sac.target_entropy"
    for name in ("aggregates", "cost"):
        text = read(runs, experiment, f"{name}.md")
        assert "| Learning rate |" in text
        assert len(lines_with(text, "| 0.001 |")) == 3
    assert {row["sac_lr"] for row in records(runs, experiment, "aggregates.csv")} == {"0.0001", "0.001"}
