"""Policies as files: ``final.pt`` of a run, and safetensors, which other programs read and which hold no code.

What is in them is what `Agent.final_state` gives: the parameters ``policy.*``, the masks ``policy_masks.N``, and, as
metadata, the version of the masks.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from must.config import RunConfig, dump
from must.files import write_atomically
from must.run_files import CONFIG, SHARED

_VERSION = "mask_version"


def write_policy(directory: Path, config: RunConfig, state: Mapping[str, Any]) -> None:
    """Write the directory of a policy, from which ``must evaluate`` and ``must render`` can take it.

    Args:
        directory: Made when it does not exist.
        config: The settings of its run.
        state: What `Agent.final_state` gives.
    """
    directory.mkdir(parents=True, exist_ok=True)
    write_atomically(directory / CONFIG, lambda file: file.write(dump(config).encode()))
    content = to_safetensors(state)
    write_atomically(directory / SHARED, lambda file: file.write(content))


def to_safetensors(state: Mapping[str, Any]) -> bytes:
    """Return what `Agent.final_state` gives as the bytes of a file; the same state gives the same bytes."""
    tensors = {f"policy.{name}": tensor for name, tensor in state["policy"].items()}
    tensors |= {f"policy_masks.{number}": tensor for number, tensor in enumerate(state["policy_masks"])}
    apart = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    # One entry: the library does not keep the order of several.
    return save(apart, metadata={_VERSION: str(state[_VERSION])})


def read_policy(path: Path) -> dict[str, Any]:
    """Read a policy of either form; return what `Agent.load_policy` takes.

    Raises:
        Exception: Of whatever kind a damaged file makes torch or safetensors raise.
    """
    if path.name != SHARED:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        return state
    with safe_open(path, framework="pt") as file:
        tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        version = int(file.metadata()[_VERSION])
    masks = [name for name in tensors if name.startswith("policy_masks.")]
    return {
        "policy": {name.removeprefix("policy."): tensors[name] for name in tensors if name.startswith("policy.")},
        "policy_masks": [tensors[name] for name in sorted(masks, key=lambda name: int(name.rpartition(".")[2]))],
        _VERSION: version,
    }
