import pytest
import yaml

from must.config import (
    dump,
    identity,
    load_experiment,
    parse_assignments,
    parse_experiment,
    read_recorded,
    result_settings,
)
from must.errors import ConfigError
from must.tasks import BENCHMARKS
from tests.support.helpers import SMALL, merged, small_config

MT10 = {"env": {"benchmark": "MT10"}}


def test_first_n_tasks_of_a_benchmark_or_a_list():
    assert parse_experiment(MT10).env.task_names == BENCHMARKS["MT10"]
    assert parse_experiment({"env": {"benchmark": "MT25", "n_tasks": 3}}).env.task_names == BENCHMARKS["MT25"][:3]
    listed = {"env": {"tasks": ["push-v3", "reach-v3"]}}
    assert parse_experiment(listed).env.task_names == ("push-v3", "reach-v3")
    assert parse_experiment(listed, {"env.n_tasks": "1"}).env.task_names == ("push-v3",)


@pytest.mark.parametrize("text", ["1e-4", "0.0001", "1.0e-04", "1E-4"])
def test_numbers_in_every_notation(text):
    data = yaml.safe_load(f"env: {{benchmark: MT10}}\ngenerator: {{lr: {text}}}")
    assert parse_experiment(data).generator.lr == 1e-4
    assert parse_experiment(MT10, {"generator.lr": text}).generator.lr == 1e-4


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sac.lr", "0"),
        ("sac.lr", "nan"),
        ("sac.lr", ".inf"),
        ("sac.lr", "true"),
        ("sac.gamma", "1"),
        ("sac.tau", "0"),
        ("training.epochs", "0"),
        ("training.epochs", "1.5"),
        ("training.seed", "-1"),
        ("env.horizon", "501"),
        ("env.goals", "both"),
        ("env.reward", "v3"),
        ("network.hidden_sizes", "[]"),
        ("network.hidden_sizes", "400"),
        ("evaluation.episodes", "51"),
        ("masks.pruning_ratio", "1.0"),
        ("masks.granularity", "layer"),
        ("name", "a/b"),
        ("name", "$(rm)"),
        ("sweep.seeds", "[]"),
        ("sweep.seeds", "[1, 1]"),
        ("env.benchmark", "null"),
        ("env.tasks", "[reach-v3]"),
        ("sac.buffer_size", "1000"),
        ("env", "3"),
        ("nothing", "1"),
        ("sac.gama", "0.9"),
    ],
)
def test_values_out_of_range_are_refused_with_their_place(key, value):
    with pytest.raises(ConfigError) as error:
        parse_experiment(MT10, {key: value}, source="file.yaml")
    message = str(error.value)
    assert message.startswith(("file.yaml: ", "--set"))
    assert key.split(".")[0] in message


def test_all_problems_are_reported_at_once():
    with pytest.raises(ConfigError) as error:
        parse_experiment(MT10, {"sac.lr": "-1", "masks.pruning_ratio": "2", "training.sed": "3"})
    assert len(str(error.value).splitlines()) == 3


@pytest.mark.parametrize("assignment", ["a", "=1", "sac.gamma"])
def test_assignments_need_a_key_and_a_value(assignment):
    with pytest.raises(ConfigError, match=r"section\.key=value"):
        parse_assignments([assignment])


def test_a_resolved_configuration_reads_back_the_same(tmp_path):
    config = small_config(masks={"pruning_ratio": 0.25})
    path = tmp_path / "config.yaml"
    path.write_text(dump(config))
    assert load_experiment(path).run_config() == config


def test_a_new_version_goes_on_with_the_runs_of_the_one_before():
    """Checkpoints are of an identity: a key that comes later must not change it where it is left alone."""
    assert identity(small_config()) == "8e5c7b6d1aee5ed5"


def test_identity_follows_what_can_change_a_result():
    base = small_config()
    for same in (
        {"training": {"n_workers": 3}},
        {"training": {"checkpoint_minutes": 1}},
        {"logging": {"tensorboard": True}},
    ):
        assert identity(small_config(**same)) == identity(base)
    for other in (
        {"training": {"seed": 1}},
        {"training": {"threads": 2}},
        {"sac": {"tau": 0.1}},
        {"sac": {"n_step": 3}},
        {"env": {"goals": "fixed"}},
        {"network": {"init": "fan_in"}},
        {"network": {"layer_norm": True}},
    ):
        assert identity(small_config(**other)) != identity(base)


def test_a_run_from_before_layer_normalisation_is_still_what_it_was():
    settings = result_settings(small_config(network={"init": "fan_in"}))
    assert settings["network"] == {"hidden_sizes": [12, 9], "init": "fan_in"}


def sweep(**lists):
    return parse_experiment(merged(SMALL, {"sweep": lists}))


def test_a_sweep_trains_every_combination_and_the_dense_control_once_per_seed():
    experiment = sweep(seeds=[0, 1], pruning_ratios=[0, 0.5, 0.8], update_intervals=[10, 40])
    paths = [spec.path for spec in experiment.runs()]
    assert len(paths) == len(set(paths)) == 2 + 2 * 2 * 2
    assert "pruning_ratio~0/update_interval~na/seed~1" in paths
    assert "pruning_ratio~0.8/update_interval~40/seed~0" in paths


def test_runs_of_all_axes_are_valid_and_differ():
    experiment = sweep(
        seeds=[3],
        pruning_ratios=[0, 0.5],
        update_intervals=[2],
        generator_lrs=["1e-3", 1e-4],
        use_sl_loss=[0, 1],
        use_trajectory_info=[0, 1],
        granularities=["weight", "neuron"],
        benchmarks=["MT10", "MT25"],
    )
    runs = experiment.runs()
    assert len(runs) == 2 * (1 + 2**4)
    data = experiment.model_dump(mode="json")
    made = [parse_experiment(data, experiment.overrides(spec)).run_config() for spec in runs]
    assert len({identity(run) for run in made}) == len(made)
    assert {run.env.benchmark for run in made} == {"MT10", "MT25"}
    assert {run.masks.granularity for run in made if not run.dense} == {"weight", "neuron"}


def test_keys_of_one_granularity_are_left_out_of_the_others_runs():
    experiment = parse_experiment(
        {
            **MT10,
            "generator": {"head": "factorised", "rank": 3},
            "masks": {"mask_biases": True},
            "sweep": {"granularities": ["weight", "neuron"]},
        }
    )
    data = experiment.model_dump(mode="json")
    by_kind = {
        run.masks.granularity: run
        for run in (parse_experiment(data, experiment.overrides(spec)).run_config() for spec in experiment.runs())
    }
    assert by_kind["weight"].generator.rank == 3
    assert by_kind["neuron"].generator.head is None
    assert by_kind["neuron"].masks.mask_biases is None


def test_an_update_before_the_first_episode_ends_is_refused():
    with pytest.raises(ConfigError, match=r"before its first episode"):
        small_config(env={"horizon": 200})
    small_config(env={"horizon": 200}, masks={"pruning_ratio": 0})
    small_config(env={"horizon": 200}, generator={"use_sl_loss": 0, "use_trajectory_info": 0})


def test_no_code_is_executed_by_a_configuration(tmp_path):
    path = tmp_path / "evil.yaml"
    path.write_text("name: !!python/object/apply:os.system ['touch pwned']\n")
    with pytest.raises(ConfigError, match=r"not valid YAML"):
        load_experiment(path)


def test_a_bare_off_is_off_although_yaml_reads_it_as_false():
    data = yaml.safe_load("env: {benchmark: MT10}\nlogging: {wandb: off}")
    assert data["logging"]["wandb"] is False
    assert parse_experiment(data).logging.wandb == "off"


def test_a_method_that_prunes_nothing_is_not_trained_beside_mt_sac():
    sweep = {"methods": ["must", "static_sparse", "mt_sac"], "pruning_ratios": [0, 0.5], "update_intervals": [5, 6]}
    trained = [dict(spec.params) for spec in parse_experiment(merged(SMALL, {"sweep": sweep})).runs()]
    assert [(run["method"], run["pruning_ratio"], run["update_interval"]) for run in trained] == [
        ("must", "0.5", "5"),
        ("must", "0.5", "6"),
        ("static_sparse", "0.5", "na"),
        ("mt_sac", "na", "na"),
    ]
    sweep["methods"] = ["must", "static_sparse"]
    trained = [dict(spec.params) for spec in parse_experiment(merged(SMALL, {"sweep": sweep})).runs()]
    assert [run["method"] for run in trained if run["pruning_ratio"] == "0"] == ["must", "static_sparse"]


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"cagrad": {"c": 0.5}}, ["cagrad is read by method: cagrad only", "trains must"]),
        ({"method": "pcgrad", "paco": {"n_sets": 2}}, ["paco", "trains pcgrad"]),
        ({"sweep": {"magnitude_networks": ["both"]}}, ["sweep.magnitude_networks", "magnitude only"]),
        ({"method": "pc_grad"}, ["method", "pcgrad"]),
        ({"method": "cagrad", "cagrad": {"c": 1}}, ["cagrad.c", "less than 1"]),
        ({"method": "magnitude", "magnitude": {"start": 0.5, "end": 0.5}}, ["magnitude", "start < end"]),
        ({"sweep": {"methods": ["must", "must"]}}, ["sweep.methods", "twice"]),
    ],
    ids=str,
)
def test_mistakes_about_methods_are_told(sections, words):
    with pytest.raises(ConfigError) as caught:
        parse_experiment(merged(SMALL, sections))
    assert [word for word in words if word not in str(caught.value)] == []


def test_settings_that_a_method_does_not_read_are_not_part_of_what_a_run_is():
    def of(**sections):
        return identity(parse_experiment(merged(SMALL, sections)).run_config())

    assert of(method="mt_sac") == of(method="mt_sac", generator={"lr": 0.5}, masks={"pruning_ratio": 0.1})
    assert of(method="mt_sac") != of(method="mtmh_sac")
    assert of(method="static_sparse") == of(method="static_sparse", masks={"update_interval": 3})
    assert of(method="static_sparse") != of(method="static_sparse", masks={"pruning_ratio": 0.1})
    assert of(method="magnitude") != of(method="magnitude", magnitude={"networks": "both"})
    assert of() == of(method="must") != of(generator={"lr": 0.5})
    written = dump(parse_experiment(merged(SMALL, {"method": "mt_sac"})).run_config())
    assert "generator:" not in written
    assert "cagrad:" not in written


@pytest.mark.parametrize(("kept", "same"), [(True, True), (False, False)])
def test_a_run_from_before_a_key_existed_is_read_as_it_was_trained(kept, same, tmp_path):
    """Today's default is not what was done then, so the run is no longer one of the experiment's."""
    experiment = parse_experiment(SMALL)
    text = dump(experiment)
    assert "  hold_targets: true\n" in text
    (tmp_path / "config.yaml").write_text(text if kept else text.replace("  hold_targets: true\n", ""))
    recorded = read_recorded(tmp_path / "config.yaml")
    assert (identity(recorded) == identity(experiment.run_config())) == same
    assert recorded.masks.hold_targets == same
