"""Collection state as tensors and text, so that a checkpoint is data and no code."""

from __future__ import annotations

import json
from typing import Any

import torch

from must.buffers import TrajectoryStore
from must.collect import RunnerState


def pack_runners(states: list[RunnerState]) -> list[dict[str, Any]]:
    """Turn the state of each task's collection into data."""
    return [
        {
            "rng": json.dumps(state.rng),
            "goal": state.goal,
            "actions": torch.from_numpy(state.actions),
            **({"normaliser": list(state.normaliser)} if state.normaliser else {}),
        }
        for state in states
    ]


def unpack_runners(packed: list[dict[str, Any]]) -> list[RunnerState]:
    """Turn back what `pack_runners` gave."""
    return [
        RunnerState(
            json.loads(entry["rng"]), entry["goal"], entry["actions"].numpy(), tuple(entry.get("normaliser", ()))
        )
        for entry in packed
    ]


def pack_store(store: TrajectoryStore) -> dict[str, Any]:
    """Turn the trajectory store into data."""
    episodes, succeeded = store.state()
    return {
        "episodes": [[torch.from_numpy(episode) for episode in task] for task in episodes],
        "succeeded": succeeded,
    }


def unpack_store(packed: dict[str, Any], store: TrajectoryStore) -> None:
    """Fill the trajectory store with what `pack_store` gave."""
    episodes = [[episode.numpy() for episode in task] for task in packed["episodes"]]
    store.restore(episodes, packed["succeeded"])
