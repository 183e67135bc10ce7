"""Settings that nothing reads are refused, where somebody starts something."""

import pytest

from must.config import load_sweep, parse_assignments, parse_experiment, parse_sweep
from must.config.unread import require_for_one_run, unread_by_run
from must.errors import ConfigError
from tests.support.helpers import ROOT, SMALL, merged

MT10 = {"env": {"benchmark": "MT10"}}


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"masks": {"pruning_ratio": 0.8}, "sweep": {"pruning_ratios": [0, 0.5]}}, ["masks.pruning_ratio: 0.8"]),
        ({"training": {"seed": 7}, "sweep": {"seeds": [1, 2]}}, ["training.seed: 7", "sweep.seeds is [1, 2]"]),
        ({"method": "cagrad", "sweep": {"methods": ["must", "paco"]}}, ["method: cagrad"]),
        ({"method": "mt_sac", "sweep": {"pruning_ratios": [0, 0.5]}}, ["sweep.pruning_ratios", "mt_sac"]),
        (
            {"sweep": {"pruning_ratios": [0], "update_intervals": [5, 6]}},
            ["sweep.update_intervals", "no run has masks"],
        ),
        (
            {"sweep": {"update_intervals": [5, 6], "variants": {"a": {"masks.update_interval": 7}}}},
            ["sweep.update_intervals", "variants"],
        ),
        ({"env": {"tasks": ["reach-v3"], "benchmark": None}, "sweep": {"benchmarks": ["MT10"]}}, ["env.tasks"]),
        ({"masks": {"fade": False, "update": "joint"}}, ["masks.fade", "masks.update: apart"]),
        ({"generator": {"kl_weight": 0.5}}, ["generator.kl_weight", "generator.encoder_loss: vae"]),
        ({"generator": {"sl_steps": 9, "sl_weight": 0.1}}, ["generator.sl_steps", "generator.sl_weight: null"]),
        ({"sweep": {"variants": {"a": {}, "b": {"masks.update": "joint", "masks.update_steps": 3}}}}, ["variants.b"]),
    ],
    ids=str,
)
def test_what_no_run_reads_is_refused(sections, words):
    with pytest.raises(ConfigError) as caught:
        parse_sweep(merged(MT10, sections), source="file.yaml")
    assert [word for word in ["file.yaml: ", *words] if word not in str(caught.value)] == []
    parse_experiment(merged(MT10, sections))  # a run directory that holds it is still what it is


def test_what_some_run_reads_is_not_refused():
    sections = {
        "masks": {"pruning_ratio": 0.8},
        "generator": {"kl_weight": 0.5},
        "sweep": {
            "pruning_ratios": [0, 0.8],
            "methods": ["must", "mt_sac"],
            "variants": {"plain": {}, "vae": {"generator.encoder_loss": "vae"}},
        },
    }
    assert parse_sweep(merged(MT10, sections)).sweep.pruning_ratios == [0, 0.8]


def test_every_experiment_of_the_repository_is_read_as_a_whole():
    for path in ROOT.glob("config/**/*.yaml"):
        load_sweep(path)


def test_a_sweep_that_leaves_a_setting_out_has_its_single_value():
    experiment = parse_experiment(merged(MT10, {"masks": {"pruning_ratio": 0.8}, "training": {"seed": 7}}))
    assert [spec.path for spec in experiment.runs()] == ["pruning_ratio~0.8/update_interval~50/seed~7"]


@pytest.mark.parametrize(
    ("key", "values", "words"),
    [
        ("pruning_ratios", [0.5, 0.50], "items 1 and 2, 0.5 and 0.5"),
        ("pruning_ratios", [0, 0.5, 0.500000000001], "items 2 and 3, 0.5 and 0.500000000001"),
        ("pruning_ratios", [0.0, -0.0], "items 1 and 2"),
        ("pruning_ratios", [1 / 3], "more than 10 digits"),
        ("generator_lrs", ["1e-3", 0.001], "0.001 and 0.001"),
        ("use_sl_loss", [1, True], "items 1 and 2"),
        ("seeds", [3, 1, 3], "items 1 and 3, 3 and 3"),
        ("variants", {"na": {}}, "'na' cannot be the name"),
    ],
    ids=str,
)
def test_two_values_of_an_axis_never_share_a_path(key, values, words):
    with pytest.raises(ConfigError) as caught:
        parse_experiment(merged(MT10, {"sweep": {key: values}}))
    assert words in str(caught.value)
    assert f"sweep.{key}" in str(caught.value)


@pytest.mark.parametrize(
    ("assignment", "instead"),
    [
        ("sweep.seeds=[5]", "--set training.seed=VALUE"),
        ("sweep={seeds: [5]}", "leave it out"),
        ("resources.gpus=1", "leave it out"),
        ("report.final_evaluations=2", "leave it out"),
        ("name=other", "leave it out"),
        ("container.flavour=cuda", "leave it out"),
    ],
)
def test_an_option_that_a_single_run_does_not_read_is_refused(assignment, instead):
    with pytest.raises(ConfigError) as caught:
        require_for_one_run(parse_assignments([assignment]))
    assert assignment.partition("=")[0] in str(caught.value)
    assert instead in str(caught.value)


def test_an_option_is_given_once():
    with pytest.raises(ConfigError, match=r"sac\.lr is set twice"):
        parse_assignments(["sac.lr=1", "sac.tau=1", "sac.lr=2"])


@pytest.mark.parametrize(
    ("sections", "key", "why"),
    [
        ({"method": "mt_sac"}, "generator.lr", "method: mt_sac"),
        ({"masks": {"pruning_ratio": 0}}, "masks.update_interval", "masks.pruning_ratio: 0"),
        ({"masks": {"update": "joint"}}, "masks.fade", "masks.update: apart"),
    ],
)
def test_options_that_change_nothing_are_named(sections, key, why):
    config = parse_experiment(merged(SMALL, sections)).run_config()
    (told,) = unread_by_run(config, [key, "sac.lr", "masks.mask_biases"])
    assert key in told
    assert why in told


def test_options_that_change_something_are_not():
    config = parse_experiment(SMALL).run_config()
    assert list(unread_by_run(config, ["generator.lr", "masks.fade", "training.seed", "method"])) == []
