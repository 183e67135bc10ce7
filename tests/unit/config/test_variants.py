"""Named settings as an axis of a sweep."""

from copy import deepcopy

import pytest
import yaml

from must.cli import main
from must.config import dump, identity, load_experiment, parse_experiment
from must.errors import ConfigError
from must.sizes import sizes
from tests.support.helpers import SMALL, merged

VARIANTS = {
    "dense": {"method": "mt_sac"},
    "static": {"method": "static_sparse"},
    "must": {},
    "noise.2": {"masks.gumbel_scale": 0.2},
    "must-90": {"masks.pruning_ratio": 0.9},
}


def with_variants(variants, **sections):
    sweep = {"seeds": [0, 1], "pruning_ratios": [0.8], "update_intervals": [2]} | sections.pop("sweep", {})
    return deepcopy(merged(SMALL, sections)) | {"sweep": sweep | {"variants": variants}}


def made(data):
    """Path of each run -> its settings."""
    experiment = parse_experiment(data)
    return {spec.path: parse_experiment(data, experiment.overrides(spec)).run_config() for spec in experiment.runs()}


def test_every_variant_is_trained_with_every_seed_under_its_own_settings():
    runs = made(with_variants(VARIANTS))
    assert [path for path in runs if path.endswith("seed~1")] == [
        "variant~dense/pruning_ratio~na/update_interval~na/seed~1",
        "variant~static/pruning_ratio~0.8/update_interval~na/seed~1",
        "variant~must/pruning_ratio~0.8/update_interval~2/seed~1",
        "variant~noise.2/pruning_ratio~0.8/update_interval~2/seed~1",
        "variant~must-90/pruning_ratio~na/update_interval~2/seed~1",
    ]
    assert len(runs) == len({identity(run) for run in runs.values()}) == 10
    of = {path.split("/")[0].partition("~")[2]: run for path, run in runs.items()}
    assert [run.method for run in of.values()] == ["mt_sac", "static_sparse", "must", "must", "must"]
    assert [of[name].masks.gumbel_scale for name in ("must", "noise.2")] == [0.03, 0.2]
    assert [of[name].masks.pruning_ratio for name in ("must", "must-90")] == [0.8, 0.9]


def test_a_variant_whose_runs_take_long_may_have_fewer_seeds():
    sweep = {"seeds": [7, 3, 5], "fewer_seeds": {"dense": 2, "must": 1}}
    experiment = parse_experiment(with_variants(VARIANTS, sweep=sweep))
    seeds: dict[str, list[str]] = {}
    for spec in experiment.runs():
        seeds.setdefault(dict(spec.params)["variant"], []).append(dict(spec.params)["seed"])
    every = ["7", "3", "5"]
    assert seeds == {"dense": every[:2], "static": every, "must": every[:1], "noise.2": every, "must-90": every}
    again = parse_experiment(yaml.safe_load(dump(experiment)))
    assert again.runs() == experiment.runs()


def test_the_variant_stands_behind_the_benchmark():
    data = with_variants({"a": {}, "b": {"method": "mt_sac"}}, sweep={"benchmarks": ["MT10", "MT25"]})
    data["sac"]["buffer_size"] = 3000
    paths = [spec.path for spec in parse_experiment(data).runs()]
    assert paths[0] == "benchmark~MT10/variant~a/pruning_ratio~0.8/update_interval~2/seed~0"
    assert len(paths) == 8


def test_values_of_every_kind_reach_the_run_as_they_are_written():
    text = """
    a: {generator.head: null, sac.lr: 1e-4, sac.tau: 0.00001, network.hidden_sizes: [7, 5], sac.target_entropy: -3}
    b: {masks.granularity: weight, generator.head: factorised, generator.use_sl_loss: false, masks.relaxation: softmax}
    """
    runs = made(with_variants(yaml.safe_load(text), sweep={"seeds": [0]}))
    a, b = runs.values()
    assert (a.generator.head, a.sac.lr, a.sac.tau, a.sac.target_entropy) == (None, 1e-4, 1e-5, -3)
    assert a.network.hidden_sizes == [7, 5]
    assert (b.masks.granularity, b.generator.head, b.generator.use_sl_loss) == ("weight", "factorised", False)
    assert b.masks.relaxation == "softmax"


def test_a_variants_value_holds_over_that_of_an_axis():
    sweep = {"generator_lrs": [1e-3, 1e-4], "granularities": ["weight", "neuron"], "seeds": [0]}
    variants = {"a": {}, "b": {"generator.lr": "1e-5", "masks.granularity": "weight"}}
    experiment = parse_experiment(with_variants(variants, sweep=sweep))
    runs = [(spec.path, experiment.settings(spec)) for spec in experiment.runs()]
    assert len(runs) == 4 + 1
    path, settings = runs[-1]
    assert path == "variant~b/granularity~na/pruning_ratio~0.8/update_interval~2/generator_lr~na/seed~0"
    assert (settings["granularity"], settings["generator_lr"], settings["method"]) == ("weight", "1e-05", "must")


def test_keys_of_weights_are_left_out_where_a_variant_prunes_neurons():
    data = with_variants({"weight": {"masks.granularity": "weight"}, "neuron": {"masks.granularity": "neuron"}})
    data["masks"] |= {"granularity": "weight", "mask_biases": True}
    data["generator"] |= {"head": "factorised", "rank": 3}
    weight, neuron = (run for path, run in made(data).items() if path.endswith("seed~0"))
    assert (weight.masks.mask_biases, weight.generator.rank) == (True, 3)
    assert (neuron.masks.mask_biases, neuron.generator.head, neuron.generator.rank) == (None, None, None)


def test_a_dense_run_is_trained_once_whatever_the_variants():
    def names(variants):
        sweep = {"pruning_ratios": [0, 0.8], "seeds": [0]}
        return list(made(with_variants(variants, sweep=sweep)))

    assert names({"dense": {"method": "mt_sac"}, "must": {}, "noise": {"masks.gumbel_scale": 0.2}}) == [
        "variant~dense/pruning_ratio~na/update_interval~na/seed~0",
        "variant~must/pruning_ratio~0.8/update_interval~2/seed~0",
        "variant~noise/pruning_ratio~0.8/update_interval~2/seed~0",
    ]
    dense = [path for path in names({"must": {}, "noise": {"masks.gumbel_scale": 0.2}}) if "ratio~0/" in path]
    assert dense == ["variant~must/pruning_ratio~0/update_interval~na/seed~0"]
    other = names({"dense": {"method": "mt_sac"}, "must": {"sac.lr": 0.1}})  # that is another dense run
    assert "variant~must/pruning_ratio~0/update_interval~na/seed~0" in other


def test_variants_and_methods_can_both_be_swept():
    sweep = {"methods": ["must", "pcgrad", "mt_sac"], "seeds": [0]}
    variants = {"a": {}, "noise": {"masks.gumbel_scale": 0.2}, "fast": {"sac.lr": 0.1}}
    runs = made(with_variants(variants, sweep=sweep))
    assert len({identity(run) for run in runs.values()}) == len(runs) == 3 + 1 + 3  # no masks, no noise
    assert parse_experiment(with_variants(variants, sweep=sweep)).methods == ("must", "pcgrad", "mt_sac")


def test_what_is_left_of_magnitude_pruning_decides_whether_it_reads_the_granularity():
    sweep = {"magnitude_budgets": ["ratio", "parameters"], "granularities": ["weight", "neuron"], "seeds": [0]}
    experiment = parse_experiment(merged(SMALL, {"method": "magnitude", "sweep": sweep}))
    paths = [spec.path for spec in experiment.runs()]
    assert paths == [
        "budget~ratio/granularity~na/pruning_ratio~0.5/update_interval~na/seed~0",
        "budget~parameters/granularity~weight/pruning_ratio~0.5/update_interval~na/seed~0",
        "budget~parameters/granularity~neuron/pruning_ratio~0.5/update_interval~na/seed~0",
    ]

    def of(**sections):
        return identity(parse_experiment(merged(SMALL, {"method": "magnitude"} | sections)).run_config())

    assert of() == of(masks={"granularity": "weight"}) == of(magnitude={"budget": "ratio"})
    equal = {"budget": "parameters"}
    assert of() != of(magnitude=equal) != of(magnitude=equal, masks={"granularity": "weight"})
    variants = {
        "a": {"method": "magnitude"},
        "b": {"method": "magnitude", "magnitude.budget": "parameters", "masks.granularity": "neuron"},
    }
    sweep = {"granularities": ["weight", "neuron"], "seeds": [0]}
    paths = [spec.path for spec in parse_experiment(with_variants(variants, sweep=sweep)).runs()]
    assert paths == [f"variant~{name}/granularity~na/pruning_ratio~0.8/update_interval~na/seed~0" for name in "ab"]


def test_sections_of_a_method_may_be_given_for_one_variant():
    data = with_variants({"dense": {"method": "mt_sac"}, "c": {"method": "cagrad"}, "d": {}}, method="cagrad")
    data["cagrad"] = {"c": 0.3}
    with pytest.raises(ConfigError, match="'c' and 'd' have the same settings"):
        parse_experiment(data)
    data["sweep"]["variants"]["c"] |= {"cagrad.c": 0.5}
    runs = {path.split("/")[0]: run for path, run in made(data).items()}
    assert runs["variant~dense"].method == "mt_sac"
    assert (runs["variant~c"].cagrad.c, runs["variant~d"].cagrad.c) == (0.5, 0.3)
    again = made(yaml.safe_load(dump(parse_experiment(data))))
    assert {path: identity(run) for path, run in again.items()} == {
        path: identity(run) for path, run in made(data).items()
    }


@pytest.mark.parametrize(
    ("variants", "sections", "words"),
    [
        ({"a": {"sac.gama": 0.9}}, {}, ["sweep.variants.a.sac.gama: unknown key", "'gamma'"]),
        ({"a": {"sacc.gamma": 0.9}}, {}, ["sweep.variants.a.sacc.gamma: unknown key", "'sac.gamma'"]),
        ({"a": {"sac": {"gamma": 0.9}}}, {}, ["sweep.variants.a.sac: is a section", "such as sac.lr"]),
        ({"a": {"sac.lr.b": 1}}, {}, ["sweep.variants.a.sac.lr.b: unknown key"]),
        ({"a": {"method.b": 1}}, {}, ["sweep.variants.a.method.b: unknown key"]),
        ({"a": {"sac.gamma": 2}}, {}, ["sweep.variants.a.sac.gamma: ", "less than 1", "found 2"]),
        ({"a": {"network.hidden_sizes": [0]}}, {}, ["sweep.variants.a.network.hidden_sizes, item 1: ", "found 0"]),
        ({"a": {"method": "pc_grad"}}, {}, ["sweep.variants.a.method", "'pcgrad'"]),
        (
            {"a": {"method": "mt_sac", "masks.gumbel_scale": 1}},
            {},
            ["sweep.variants.a.masks.gumbel_scale", "must only"],
        ),
        ({"a": {"cagrad.c": 0.1}}, {}, ["sweep.variants.a.cagrad.c: is read by method: cagrad only", "trains must"]),
        ({"a": {"training.seed": 1}}, {}, ["sweep.variants.a.training.seed", "sweep.seeds"]),
        ({"aa": {}}, {"fewer_seeds": {"ab": 1}}, ["sweep: fewer_seeds.ab: unknown variant", "'aa'"]),
        ({"a": {}}, {"fewer_seeds": {"a": 2}}, ["sweep: fewer_seeds.a: is 2, but seeds lists 2: write fewer"]),
        ({"a": {}}, {"fewer_seeds": {"a": 0}}, ["sweep.fewer_seeds.a", "found 0"]),
        ({"a": {"name": "b"}}, {}, ["sweep.variants.a.name"]),
        ({"a": {"sweep.seeds": [1]}}, {}, ["sweep.variants.a.sweep.seeds"]),
        ({"a": {"report.success_rate": 0.5}}, {}, ["sweep.variants.a.report.success_rate"]),
        ({"a": {"resources.gpus": 1}}, {}, ["sweep.variants.a.resources.gpus"]),
        ({"a": {"env.reward": "v1"}}, {}, ["sweep.variants.a.env.reward", "judged alike"]),
        ({"a": {"masks.mask_biases": True}}, {}, ["sweep.variants.a: masks: mask_biases is read with"]),
        ({"a": {"method": "mt_sac"}}, {"methods": ["must"]}, ["sweep.variants.a.method", "remove sweep.methods"]),
        ({"a": {}, "b": {"masks.gumbel_scale": 0.03}}, {}, ["sweep.variants: 'a' and 'b' have the same settings"]),
        ({"a": {}, "b": {"masks.pruning_ratio": 0.8}}, {}, ["'a' and 'b' have the same settings"]),
        ({"a/b": {}}, {}, ["sweep.variants", "'a/b' cannot be the name"]),
        ({"..": {}}, {}, ["sweep.variants", "'..' cannot be the name"]),
        ({"a": None}, {}, ["sweep.variants.a"]),
        ({}, {}, ["sweep.variants"]),
        ({"a": {"method": "mt_sac"}}, {"magnitude_networks": ["both"]}, ["sweep.magnitude_networks", "magnitude only"]),
    ],
    ids=str,
)
def test_mistakes_are_told_with_their_place(variants, sections, words):
    with pytest.raises(ConfigError) as caught:
        parse_experiment(with_variants(variants, sweep=sections), source="file.yaml")
    assert str(caught.value).startswith("file.yaml: ")
    assert len(str(caught.value).splitlines()) == 1
    assert [word for word in words if word not in str(caught.value)] == []


def test_one_run_of_the_file_is_that_of_its_base_settings(tmp_path):
    path = tmp_path / "experiment.yaml"
    path.write_text(yaml.safe_dump(with_variants(VARIANTS)))
    assert load_experiment(path).run_config().method == "must"
    assert load_experiment(path, {"method": "mt_sac"}).run_config().method == "mt_sac"


def test_sizes_count_every_variant(tmp_path, capsys):
    rows = dict(sizes(parse_experiment(with_variants(VARIANTS))))
    assert list(rows) == [
        "mt_sac, variant dense",
        "static_sparse, variant static, pruning_ratio 0.8",
        "must, variant must, pruning_ratio 0.8, update_interval 2",
        "must, variant noise.2, pruning_ratio 0.8, update_interval 2",
        "must, variant must-90, update_interval 2",
    ]
    used = [numbers[1] for numbers in rows.values()]
    assert used[0] > used[1] == used[2] == used[3] > used[4]
    path = tmp_path / "experiment.yaml"
    path.write_text(yaml.safe_dump(with_variants(VARIANTS)))
    assert main(["sizes", "--config", str(path)]) == 0
    assert "must, variant must-90" in capsys.readouterr().out
