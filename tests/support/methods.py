"""Every kind of method at the size of a unit test, and a few of its epochs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from must.algorithms import Agent
from must.config import METHODS
from must.types import OBS_DIM, Collected, Episode
from tests.support.helpers import merged, random_batch, random_trajectories

KINDS = {
    **{name: {"method": name} for name in METHODS},
    "static_sparse, weights": {"method": "static_sparse", "masks": {"granularity": "weight"}},
    "shared_sparse, weights": {"method": "shared_sparse", "masks": {"granularity": "weight"}},
    "must, saliency": {"method": "must", "masks": {"rule": "saliency"}},
    "must, saliency of weights": {"method": "must", "masks": {"rule": "saliency", "granularity": "weight"}},
    "must, actor": {"method": "must", "masks": {"networks": "actor"}},
    "must, weights": {"method": "must", "masks": {"granularity": "weight"}, "generator": {"sl_weight": 0.1}},
    "must, vae": {"method": "must", "generator": {"encoder_loss": "vae"}},
    "must, as the original": {"method": "must", "masks": {"max_churn": None}, "generator": {"encoding": "episode"}},
    "static_sparse, actor": {"method": "static_sparse", "masks": {"networks": "actor"}},
    "magnitude of both": {"method": "magnitude", "magnitude": {"networks": "both"}},
    "magnitude to equal parameters": {"method": "magnitude", "magnitude": {"networks": "both", "budget": "parameters"}},
    "equal cost, weights": {"method": "equal_cost", "masks": {"granularity": "weight"}},
    "pcgrad, heads": {"method": "pcgrad", "network": {"architecture": "heads"}},
    "cagrad, modules": {"method": "cagrad", "network": {"architecture": "modular"}},
    "cagrad, composed, restarts": {"method": "paco", "sac": {"gradient_rule": "cagrad"}},
    "magnitude, heads": {"method": "magnitude", "network": {"architecture": "heads"}},
    "magnitude of both, heads, equal parameters": {
        "method": "mtmh_sac",
        "masks": {"source": "magnitude", "granularity": "weight"},
        "magnitude": {"networks": "both", "budget": "parameters"},
    },
    "must, heads": {"method": "must", "network": {"architecture": "heads"}},
    "must, heads, weights and biases": {
        "method": "must",
        "network": {"architecture": "heads"},
        "masks": {"granularity": "weight", "mask_biases": True},
    },
    "must, saliency, heads": {"method": "must", "network": {"architecture": "heads"}, "masks": {"rule": "saliency"}},
    "must, joint, pcgrad": {"method": "must", "masks": {"update": "joint"}, "sac": {"gradient_rule": "pcgrad"}},
    "must, scheduler": {"method": "must", "sac": {"task_weighting": "scheduler"}},
    "shared_sparse, heads, weights": {
        "method": "shared_sparse",
        "network": {"architecture": "heads"},
        "masks": {"granularity": "weight"},
    },
    "static masks, heads, famo, pcgrad": {
        "method": "famo",
        "network": {"architecture": "heads"},
        "masks": {"source": "static"},
        "sac": {"gradient_rule": "pcgrad"},
    },
    "moore, temperature": {"method": "moore", "sac": {"task_weighting": "temperature"}},
    "deep modules": {"method": "soft_modularization", "soft_modularization": {"size": "deep", "module_size": 5}},
}


NORMALISED = {
    f"{name}, normalised": {**KINDS[name], "network": {"layer_norm": True}}
    for name in (*METHODS, "must, weights", "must, saliency", "static_sparse, weights")
}
KINDS |= NORMALISED
EVERY_KIND = [pytest.param(kind, marks=pytest.mark.slow if kind in NORMALISED else ()) for kind in KINDS]
"""For tests of every kind, of which those with normalised layers are slow ones."""


SIZES = {
    "soft_modularization": {"encoder_sizes": [9, 7], "routing_size": 6, "module_size": 8},
    "t3s": {"selector_sizes": [6, 5], "extractor_size": 4},
    "paco": {"n_sets": 3},
}
"""Of the methods' own networks, where they have some."""
SECTIONS = {"modular": "soft_modularization", "composed": "paco", "selected": "t3s"}
"""Architecture -> its section."""


def settings(kind: str, n_tasks: int = 3, **sections) -> dict:
    tasks = {"env": {"tasks": None, "benchmark": "MT10", "n_tasks": n_tasks}, "training": {"epochs": 10}}
    section = SECTIONS.get(KINDS[kind].get("network", {}).get("architecture"), KINDS[kind]["method"])
    own = {section: SIZES[section]} if section in SIZES else {}
    return merged(merged(merged(tasks, own), KINDS[kind]), sections)


def begin_epoch(agent: Agent, number: int) -> dict:
    """Bring an agent to the gradient steps of a training epoch, as the trainer does; return what it reports."""
    agent.masks.before_epoch(number, lambda: random_trajectories(agent.n_tasks))
    rng = np.random.default_rng(number)
    agent.on_collected([_collected(rng, success=bool(rng.random() < 0.5)) for _ in range(agent.n_tasks)])
    return agent.masks.begin_learning(number, lambda: random_trajectories(agent.n_tasks))


def _collected(rng: np.random.Generator, success: bool) -> Collected:
    observations = rng.normal(size=(11, OBS_DIM)).astype("f")
    actions, rewards = np.zeros((10, 4), "f"), np.zeros(10, "f")
    return Collected(observations[:-1], actions, rewards, observations[1:], (Episode(observations, success),))


def learn(agent: Agent, epochs: range, rows: int = 8) -> torch.Tensor:
    """Run training epochs of two gradient steps; return what the last step reported."""
    reported = set()
    for number in epochs:
        reported |= begin_epoch(agent, number).keys()
        for step in range(2):
            metrics = agent.gradient_step(
                random_batch(agent.n_tasks, rows, seed=10 * number + step), agent.masks.learns_masks(number)
            )
        if agent.masks.learns_masks(number):
            reported |= agent.masks.end_mask_update().keys()
            agent.gradient_step(random_batch(agent.n_tasks, rows, seed=number))
        reported |= agent.end_learning(number).keys()
    assert set(agent.columns) <= reported
    return metrics
