"""Any key as an axis of a sweep."""

from copy import deepcopy

import pytest
import yaml

from must.cli import main
from must.config import AXES, axis_named, dump, parse_experiment
from must.config.axes import grid_axis, own_axis, run_keys
from must.errors import ConfigError
from tests.support.helpers import SMALL, merged


def with_grid(grid, sweep=None, **sections):
    given = {"seeds": [0, 1], "pruning_ratios": [0, 0.5], "update_intervals": [2]} | (sweep or {})
    return deepcopy(merged(SMALL, sections)) | {"sweep": given | {"grid": grid}}


def made(data):
    """Path of each run -> its settings."""
    experiment = parse_experiment(data)
    return {spec.path: parse_experiment(data, experiment.overrides(spec)).run_config() for spec in experiment.runs()}


GRID = {"sac.lr": [3e-4, 1e-3], "network.hidden_sizes": [[12, 12], [8]]}


def test_every_combination_is_trained_under_its_own_settings():
    runs = made(with_grid(GRID))
    assert len(runs) == 2 * 2 * 2 * 2
    config = runs["pruning_ratio~0.5/update_interval~2/sac_lr~0.001/network_hidden_sizes~8/seed~1"]
    assert (config.sac.lr, config.network.hidden_sizes, config.training.seed) == (1e-3, [8], 1)
    config = runs["pruning_ratio~0/update_interval~na/sac_lr~0.0003/network_hidden_sizes~12x12/seed~0"]
    assert (config.sac.lr, config.network.hidden_sizes, config.dense) == (3e-4, [12, 12], True)


@pytest.mark.parametrize(
    ("grid", "texts", "values"),
    [
        ({"network.layer_norm": [True, False]}, ["1", "0"], [True, False]),
        ({"network.init": ["he", "fan_in"]}, ["he", "fan_in"], ["he", "fan_in"]),
        ({"sac.temperature_lr": [None, "1e-4"]}, ["null", "0.0001"], [None, 1e-4]),
        ({"sac.batch_size_per_task": [16, 32]}, ["16", "32"], [16, 32]),
        ({"env.horizon": [30, 40]}, ["30", "40"], [30, 40]),
    ],
)
def test_values_of_all_types(grid, texts, values):
    (key,) = grid
    runs = made(with_grid(grid, {"seeds": [0], "pruning_ratios": [0]}))
    name = key.replace(".", "_")
    assert [dict(part.split("~") for part in path.split("/"))[name] for path in runs] == texts
    section, field = key.split(".")
    assert [getattr(getattr(config, section), field) for config in runs.values()] == values


def test_what_masks_or_a_method_read_is_swept_only_where_it_is_read():
    churn = made(with_grid({"masks.max_churn": [0.1, 0.2]}, {"seeds": [0]}))
    assert [path for path in churn if "max_churn~na" in path] == [
        "pruning_ratio~0/update_interval~na/masks_max_churn~na/seed~0"
    ]
    assert len(churn) == 3
    c = made(
        with_grid({"cagrad.c": [0.1, 0.5]}, {"seeds": [0], "methods": ["cagrad", "mt_sac"], "pruning_ratios": [0]})
    )
    assert [path.split("/")[3] for path in c] == ["cagrad_c~0.1", "cagrad_c~0.5", "cagrad_c~na"]


def test_the_dumped_experiment_is_the_same_sweep():
    experiment = parse_experiment(with_grid(GRID))
    again = parse_experiment(yaml.safe_load(dump(experiment)))
    assert [spec.path for spec in again.runs()] == [spec.path for spec in experiment.runs()]


def test_variants_and_the_grid_combine():
    data = with_grid(
        {"sac.lr": [3e-4, 1e-3]},
        {"variants": {"slow": {"sac.lr": 1e-5}, "must": {}, "static": {"method": "static_sparse"}}, "seeds": [0]},
    )
    runs = made(data)
    lrs = {path.split("/")[0]: set() for path in runs}
    for path, config in runs.items():
        lrs[path.split("/")[0]].add(config.sac.lr)
    assert lrs["variant~slow"] == {1e-5}  # what a variant sets is not swept
    assert lrs["variant~must"] == lrs["variant~static"] == {3e-4, 1e-3}


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ({"sac.lrr": [1e-3]}, ["sweep.grid.sac.lrr: unknown key", "did you mean 'lr'"]),
        ({"sac": [1]}, ["sweep.grid.sac: is a section", "sac.lr: VALUE"]),
        ({"sac.lr": [1e-3, -1.0]}, ["sweep.grid.sac.lr", "found -1.0"]),
        ({"sac.lr": [1e-3, "0.001"]}, ["sac.lr", "names a value twice"]),
        ({"sac.lr": []}, ["sweep.grid.sac.lr"]),
        ({"masks.pruning_ratio": [0.5]}, ["sweep.grid.masks.pruning_ratio", "sweep.pruning_ratios"]),
        ({"training.seed": [1]}, ["sweep.grid.training.seed", "sweep.seeds"]),
        ({"evaluation.episodes": [1, 2]}, ["sweep.grid.evaluation.episodes", "judged alike"]),
        ({"logging.wandb_project": ["a", "b"]}, ["sweep.grid.logging", "same for the whole experiment"]),
        ({"cagrad.c": [0.1, 0.2]}, ["cagrad.c", "read by method: cagrad only"]),
        ({"network.init": ["he", "../x"]}, ["network.init", "cannot be a part of a path"]),
        ({"network.init": ["he", "she"]}, ["sweep.grid.network.init", "found 'she'"]),
    ],
)
def test_mistakes_are_named(grid, words):
    with pytest.raises(ConfigError) as caught:
        parse_experiment(with_grid(grid), source="a.yaml")
    for word in words:
        assert word in str(caught.value)


def test_what_the_sections_say_beside_a_grid_must_be_in_it(tmp_path, capsys):
    path = tmp_path / "a.yaml"
    path.write_text(yaml.safe_dump(with_grid({"sac.lr": [1e-4, 1e-3]}, sac={"lr": 7e-4})))
    assert main(["aggregate", "--config", str(path), "--results", str(tmp_path)]) == 2
    assert "sac.lr: 0.0007 is read by no run: sweep.grid.sac.lr is [0.0001, 0.001]" in capsys.readouterr().err


def test_every_axis_has_a_name_of_its_own_and_is_found_by_it():
    axes = [*AXES, *(grid_axis(key) for key in run_keys() if own_axis(key) is None)]
    assert len({axis.name for axis in axes}) == len(axes)
    for axis in axes:
        assert axis_named(axis.name) == axis
