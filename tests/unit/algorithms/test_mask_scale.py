"""At full size: noise leaves masks nearly as they are, and every layer's scores get a gradient of the same order."""

from __future__ import annotations

import pytest
import torch

from must.algorithms import make_agent
from must.config import RunConfig, parse_experiment
from must.masks import gumbel_noise, top_k_mask
from tests.support.agents import CPU
from tests.support.helpers import random_batch, random_trajectories

HEADS = [("neuron", None), ("weight", "factorised"), pytest.param("weight", "dense", marks=pytest.mark.slow)]
FLAGS = [(0, 0), (0, 1), (1, 0), (1, 1)]


def full_size(granularity: str, head: str | None, flags: tuple[int, int], ratio: float) -> RunConfig:
    """Return a run's settings; three dense heads with optimizers take 4 GB, so of these the policy's is enough."""
    networks = "actor" if head == "dense" else "both"
    return parse_experiment(
        {
            "env": {"benchmark": "MT10"},
            "masks": {"granularity": granularity, "pruning_ratio": ratio, "networks": networks},
            "generator": {"head": head, "use_trajectory_info": flags[0], "use_sl_loss": flags[1], "sl_steps": 1},
            "sac": {"buffer_size": 10_000},
            "training": {"device": "cpu"},
        }
    ).run_config()


@pytest.mark.parametrize("ratio", [0.5, 0.8, 0.9])
@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize(("granularity", "head"), HEADS)
def test_noise_and_gradient_are_of_one_size_in_every_layer(granularity, head, flags, ratio, monkeypatch):
    config = full_size(granularity, head, flags, ratio)
    agent = make_agent(config, CPU)
    trajectories = random_trajectories(10, 31) if any(flags) else None
    agent.masks.publish_initial(trajectories if flags[0] else None)
    learner, found = agent.masks.mask_learner, {}
    published = agent.masks.published_rows()
    for number, masks in enumerate(published):
        for mask, scores, k in zip(masks, learner.scores(number), learner._kept[number], strict=True):
            assert torch.equal(top_k_mask(scores.detach(), k), mask), "published is what the untrained generators say"
            noise = gumbel_noise(scores.shape, agent.rngs["mask_noise"], CPU)
            noisy = top_k_mask(scores.detach() + config.masks.gumbel_scale * noise, k)
            assert float((noisy * mask).sum() / mask.sum()) >= 0.9

    def watched(number: int, scores=learner.scores) -> list[torch.Tensor]:
        found[number] = scores(number)
        for layer in found[number]:
            layer.retain_grad()
        return found[number]

    agent.masks.begin_mask_update(trajectories)
    monkeypatch.setattr(learner, "scores", watched)
    agent.gradient_step(random_batch(10, 16), learn_masks=True)
    for layers in found.values():
        sizes = torch.stack([layer.grad.norm() for layer in layers])
        assert float(sizes.max() / sizes.min()) < 10
