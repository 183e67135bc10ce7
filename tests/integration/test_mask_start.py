"""MUST and its control, sparse networks whose masks never change, are the same run until the first renewal."""

from __future__ import annotations

import csv

import pytest

from must.config.schedule import first_renewal
from must.training import train
from tests.support.helpers import merged, small_config

RUN = {"training": {"epochs": 7}, "evaluation": {"interval": 1}, "masks": {"update_interval": 3}}
KINDS = {
    "neuron": {},
    "weight": {"masks": {"granularity": "weight"}},
    "weight, factorised": {"masks": {"granularity": "weight"}, "generator": {"head": "factorised"}},
    "actor": {"masks": {"networks": "actor"}},
    "without trajectories": {"generator": {"use_trajectory_info": False}},
    "one episode": {"generator": {"encoding": "episode"}},
    "no episode yet": {"training": {"pretrain_epochs": 0, "epochs": 8}, "env": {"horizon": 10}},
    "saliency": {"masks": {"rule": "saliency"}},
    "trained encoders": {"generator": {"encoder_loss": "vae"}},
    "together": {"masks": {"update": "joint", "max_churn": None}},
}


def rows(path, name: str, until: int) -> list[dict[str, str]]:
    """Return a log's rows up to an epoch, without the columns that only MUST fills."""
    with (path / f"{name}.csv").open(newline="") as file:
        return [
            {column: value for column, value in row.items() if "reconstruction" not in column}
            for row in csv.DictReader(file)
            if int(row["epoch"]) <= until
        ]


QUICK = ("neuron", "weight", "together")


@pytest.mark.parametrize(
    "kind", [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
def test_until_the_first_renewal_it_is_static_sparse_to_the_last_byte(kind, tmp_path):
    settings = merged(RUN, KINDS[kind])
    configs = {method: small_config(method=method, **settings) for method in ("must", "static_sparse")}
    for method, config in configs.items():
        assert train(config, tmp_path / method)
    config = configs["must"]
    first = first_renewal(config.training.epochs, config.masks.update_interval, config.masks.freeze_after)
    assert first is not None
    before = config.training.pretrain_epochs + first - 1
    for name in ("eval", "train", "masks"):
        ours, theirs = (rows(tmp_path / method, name, before) for method in configs)
        assert ours == theirs
        assert ours, "there is something to compare"
    assert rows(tmp_path / "must", "train", before + 1) != rows(tmp_path / "static_sparse", "train", before + 1)


def test_shared_masks_are_the_first_tasks_of_the_same_generators(tmp_path):
    import torch

    finals = {}
    for method in ("static_sparse", "shared_sparse"):
        assert train(small_config(method=method, training={"epochs": 1}), tmp_path / method)
        finals[method] = torch.load(tmp_path / method / "final.pt", weights_only=True)["policy_masks"]
    for own, shared in zip(finals["static_sparse"], finals["shared_sparse"], strict=True):
        assert torch.equal(shared, own[:, :1].expand_as(own))
        assert not torch.equal(own, shared)
