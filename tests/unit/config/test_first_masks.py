"""The first masks of generators that listen to trajectories are made when there is one of each task."""

import pytest

from must.cli import main
from must.config import dump, load_experiment, load_sweep, parse_sweep, read_recorded
from must.config.first_masks import require_episode
from must.config.yaml_text import write_yaml
from tests.support.helpers import ROOT, SMALL, merged, refusal, small_config

NONE = {"training": {"pretrain_epochs": 0}}
JOINT = {"masks": {"update": "joint", "max_churn": None}}


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        (NONE, ["training.pretrain_epochs: 0 times", "env.horizon = 10", "write 1 or more"]),
        (NONE | JOINT, ["training.pretrain_epochs: 0 times", "write 1 or more"]),
        (NONE | {"masks": {"rule": "saliency"}}, ["write 1 or more"]),
        (NONE | {"method": "static_sparse"}, ["write 1 or more"]),
        (NONE | {"method": "mt_sac", "masks": {"source": "learned"}}, ["write 1 or more"]),
        ({"env": {"horizon": 31}}, ["training.epoch_frames = 10", "env.horizon = 31", "write 4 or more"]),
        (
            {"sweep": {"grid": {"training.pretrain_epochs": [0, 1, 2]}}},
            ["sweep.grid.training.pretrain_epochs: 0", "write 1 or more"],
        ),
        (
            {"sweep": {"variants": {"a": {}, "b": {"training.pretrain_epochs": 0}}}},
            ["sweep.variants.b.training.pretrain_epochs: 0", "write 1 or more"],
        ),
        (
            {"sweep": {"variants": {"a": {}, "b": {"training.epoch_frames": 4}}}},
            ["sweep.variants.b: training.pretrain_epochs: 1 times training.epoch_frames = 4", "write 3 or more"],
        ),
        (
            NONE | {"generator": {"use_trajectory_info": False}, "sweep": {"use_trajectory_info": [0, 1]}},
            ["training.pretrain_epochs: 0 times", "write 1 or more"],
        ),
    ],
    ids=str,
)
def test_first_masks_before_the_first_episode_ends_are_refused(sections, words):
    message = refusal(merged(SMALL, sections))
    assert [word for word in ["file.yaml: ", *words] if word not in message] == []
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    "sections",
    [
        {"env": {"horizon": 30}, "training": {"pretrain_epochs": 3}},
        NONE | {"generator": {"use_trajectory_info": False}},
        NONE | {"generator": {"use_trajectory_info": False}, "sweep": {"pruning_ratios": [0, 0.5]}},
        NONE | {"method": "mt_sac"},
        NONE | {"method": "magnitude"},
        NONE | {"masks": {"pruning_ratio": 0}},
        {"sweep": {"variants": {"a": {}, "b": {"training.pretrain_epochs": 0, "method": "mt_sac"}}}},
    ],
    ids=str,
)
def test_masks_that_need_no_episode_are_not(sections):
    parse_sweep(merged(SMALL, sections))


def test_a_single_run_is_refused_with_exit_status_2(tmp_path, capsys):
    path = tmp_path / "file.yaml"
    path.write_text(write_yaml(SMALL), encoding="utf-8")
    options = ["train", "--config", str(path), "--out", str(tmp_path / "run"), "--set", "training.pretrain_epochs=0"]
    assert main(options) == 2
    said = capsys.readouterr().err
    assert f"{path}: training.pretrain_epochs: 0 times" in said
    assert "write 1 or more" in said
    assert not (tmp_path / "run").exists()
    require_episode(small_config(), "file.yaml")


def test_a_run_that_was_trained_so_can_still_be_evaluated(tmp_path):
    config = small_config(**NONE)
    path = tmp_path / "config.yaml"
    path.write_text(dump(config), encoding="utf-8")
    assert load_experiment(path).run_config() == read_recorded(path) == config


@pytest.mark.parametrize("path", sorted(ROOT.glob("config/**/*.yaml")), ids=lambda path: path.stem)
def test_every_experiment_of_the_repository_pretrains_for_an_episode(path):
    load_sweep(path)
