"""Settings that nothing reads are refused, where somebody starts something."""

import pytest

from must.config import load_sweep, parse_assignments, parse_experiment, parse_sweep
from must.config.unread import require_for_one_run, unread_by_run
from must.errors import ConfigError
from tests.support.helpers import ROOT, SMALL, merged, refusal

MT10 = {"env": {"benchmark": "MT10"}}
SALIENCY = {"rule": "saliency"}
BY_SALIENCY = {"masks.rule": "saliency"}
ALONE = {"use_sl_loss": False, "use_trajectory_info": False}
INFORMED, SUPERVISED = "generator.use_trajectory_info: true", "generator.use_sl_loss: true"


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
        ({"masks": {"networks": "actor", "hold_targets": False}}, ["masks.hold_targets", "masks.networks: both only"]),
        *(
            ({"masks": SALIENCY | {key: value}}, [f"masks.{key}: is read with masks.rule: generator only"])
            for key, value in (("gumbel_scale", 0.1), ("relaxation", "softmax"), ("mask_tau", 1.0))
        ),
        *(
            (
                {"masks": SALIENCY, "generator": {key: value}},
                [f"generator.{key}: is read with masks.rule: generator only; write that as well, or remove it"],
            )
            for key, value in (
                ("lr", 1e-3),
                ("use_sl_loss", False),
                ("sl_weight", 0.1),
                ("sl_steps", 9),
                ("encoder_loss", "vae"),
            )
        ),
        (
            {"masks": SALIENCY, "generator": {"encoder_loss": "vae", "kl_weight": 0.5}},
            ["generator.encoder_loss: is", "generator.kl_weight: is read with masks.rule: generator only"],
        ),
        ({"masks": SALIENCY, "sweep": {"generator_lrs": [1e-4, 1e-3]}}, ["sweep.generator_lrs", "masks.rule: gen"]),
        ({"masks": SALIENCY, "sweep": {"generator_lrs": [1e-3]}}, ["sweep.generator_lrs", "masks.rule: generator"]),
        ({"masks": SALIENCY, "sweep": {"grid": {"masks.mask_tau": [0.5, 1]}}}, ["sweep.grid.masks.mask_tau"]),
        (
            {"masks": {"update": "joint"}, "sweep": {"grid": {"masks.fade": [True, False]}}},
            ["sweep.grid.masks.fade", "masks.update: apart only"],
        ),
        ({"generator": {"use_sl_loss": False, "sl_steps": 9}}, ["generator.sl_steps", "generator.use_sl_loss: true"]),
        ({"generator": {"use_sl_loss": False, "sl_weight": 1}}, ["generator.sl_weight", "generator.use_sl_loss: true"]),
        *(
            ({"generator": ALONE | {key: value}}, [f"generator.{key}: is read with {INFORMED} or {SUPERVISED} only"])
            for key, value in (("encoder_loss", "vae"), ("encoding", "episode"), ("trajectory_window", 3))
        ),
        (
            {"masks": SALIENCY, "generator": {"use_trajectory_info": False, "encoding": "episode"}},
            [f"generator.encoding: is read with {INFORMED} or masks.rule: generator only"],
        ),
        (
            {"method": "static_sparse", "generator": {"use_trajectory_info": False, "trajectory_window": 3}},
            [f"generator.trajectory_window: is read with {INFORMED} only"],
        ),
        (
            {"generator": {"lr": 1e-3}, "sweep": {"variants": {"a": {"method": "static_sparse"}, "b": BY_SALIENCY}}},
            ["file.yaml: generator.lr", "masks.rule: generator"],
        ),
        (
            {"sweep": {"variants": {"a": {}, "b": BY_SALIENCY | {"generator.lr": 1e-3}}}},
            ["sweep.variants.b.generator.lr", "masks.rule: generator"],
        ),
    ],
    ids=str,
)
def test_what_no_run_reads_is_refused(sections, words):
    message = refusal(merged(MT10, sections))
    assert [word for word in ["file.yaml: ", *words] if word not in message] == []


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


@pytest.mark.parametrize(
    "sections",
    [
        {"masks": SALIENCY, "generator": {"hidden_size": 8, "encoding": "episode", "trajectory_window": 3}},
        {"masks": SALIENCY | {"granularity": "weight"}, "generator": {"head": "factorised", "rank": 3}},
        {"masks": SALIENCY, "generator": {"use_trajectory_info": False}},
        {"masks": SALIENCY | {"update_steps": 3, "fade": False, "hold_targets": False, "freeze_after": 0.5}},
        {"generator": {"use_trajectory_info": False, "encoding": "episode", "encoder_loss": "vae", "kl_weight": 1.0}},
        {"generator": {"use_sl_loss": False, "sl_steps": 9}, "sweep": {"use_sl_loss": [False, True]}},
        {"generator": {"lr": 1e-3, "sl_steps": 9}, "sweep": {"variants": {"a": {}, "b": BY_SALIENCY}}},
        {"masks": SALIENCY, "generator": {"lr": 1e-3}, "sweep": {"variants": {"a": {"masks.rule": "generator"}}}},
        {"method": "static_sparse", "generator": {"lr": 1e-3}},
    ],
    ids=str,
)
def test_what_the_first_masks_or_other_runs_read_is_not_refused(sections):
    parse_sweep(merged(MT10, sections))


def test_a_run_that_does_not_read_what_is_swept_is_planned_once():
    sections = {
        "sweep": {
            "variants": {"must": {}, "saliency": BY_SALIENCY, "joint": {"masks.update": "joint"}},
            "generator_lrs": [1e-4, 1e-3],
            "use_sl_loss": [True, False],
            "grid": {"generator.sl_steps": [5, 9], "masks.fade": [True, False]},
        }
    }
    runs = [dict(spec.params) for spec in parse_sweep(merged(MT10, sections)).runs()]
    assert [
        {name: value for name, value in run.items() if value == "na"} for run in runs if run["variant"] == "saliency"
    ] == [{"generator_lr": "na", "use_sl_loss": "na", "generator_sl_steps": "na"}] * 2
    of = {name: [run for run in runs if run["variant"] == name] for name in ("must", "joint")}
    assert {(run["use_sl_loss"], run["generator_sl_steps"]) for run in of["must"]} == {
        ("1", "5"),
        ("1", "9"),
        ("0", "na"),
    }
    assert len(of["must"]) == 2 * len(of["joint"]) == 2 * 3 * 2


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
        ({"masks": SALIENCY}, "generator.lr", "masks.rule: generator"),
        ({"generator": ALONE}, "generator.encoder_loss", f"{INFORMED} or {SUPERVISED}"),
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
