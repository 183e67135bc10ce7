"""Prove that a change leaves results alone: the fingerprints of short runs of every method, before and after it.

    python benchmarks/fingerprint.py > before.txt     # at the old commit
    python benchmarks/fingerprint.py | diff before.txt -

Each line names a run's settings and the SHA-256 of its logs and of its trained policy. Compare on one machine only:
other processors multiply matrices in another order.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from must.cli import main
from must.config import METHODS

TINY = {
    "training.epochs": "9",
    "training.pretrain_epochs": "1",
    "training.opt_times": "3",
    "training.epoch_frames": "40",
    "training.n_workers": "1",
    "training.threads": "1",
    "env.tasks": "[reach-v3, drawer-close-v3, button-press-topdown-v3]",
    "env.goals": "random",
    "masks.pruning_ratio": "0.5",
    "masks.update_interval": "2",
    "network.hidden_sizes": "[24, 24, 24]",
}
WEIGHT = {"masks.granularity": "weight"}
VARIANTS: dict[str, dict[str, str]] = {
    **{f"method {name}": {"method": name} for name in METHODS},
    "masks of weights, dense head": WEIGHT,
    "masks of weights, factorised head": {**WEIGHT, "generator.head": "factorised"},
    "masks of weights and biases, static": {**WEIGHT, "masks.mask_biases": "true", "method": "static_sparse"},
    "updates as the original's": {
        "masks.update": "joint",
        "masks.max_churn": "null",
        "generator.encoding": "episode",
        "masks.relaxation": "softmax",
    },
    "updates without fading": {"masks.fade": "false"},
    "supervised loss as a term": {"generator.sl_weight": "0.1"},
    "no trajectories": {"generator.use_trajectory_info": "false", "generator.use_sl_loss": "false"},
    "saliency": {"masks.rule": "saliency"},
    "actor alone": {"masks.networks": "actor"},
    "encoders with a loss": {"generator.encoder_loss": "vae"},
    "magnitude, both, equal parameters": {
        "method": "magnitude",
        "magnitude.networks": "both",
        "magnitude.budget": "parameters",
    },
    **{
        f"layer norm, {name}": {"network.layer_norm": "true", "method": name}
        for name in ("must", "mt_sac", "mtmh_sac", "soft_modularization", "paco", "t3s", "single_task")
    },
    "original initial weights": {"network.init": "original"},
    **{
        f"rewards of three steps, {name}": {"sac.n_step": "3", "sac.terminal_at_horizon": "true", "method": name}
        for name in ("must", "static_sparse", "mt_sac", "mtmh_sac", "pcgrad", "paco")
    },
    "scaled rewards of the first kind": {"env.reward": "v1", "env.reward_scale": "0.01", "sac.temperature_lr": "1e-3"},
}


def fingerprints(directory: Path) -> dict[str, str]:
    """Return the SHA-256 of what a run left, by the name of the file."""
    found = {name: _short(directory.joinpath(name).read_bytes()) for name in ("eval.csv", "train.csv", "masks.csv")}
    policy = torch.load(directory / "final.pt", weights_only=True)
    found["final.pt"] = _short(b"".join(_contents(policy)))
    return found


def _contents(value: Any) -> list[bytes]:
    if isinstance(value, torch.Tensor):
        return [value.contiguous().numpy().tobytes()]
    if isinstance(value, dict):
        return [part for key in sorted(value) for part in (str(key).encode(), *_contents(value[key]))]
    if isinstance(value, list | tuple):
        return [part for item in value for part in _contents(item)]
    return [repr(value).encode()]


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def run(variant: dict[str, str], directory: Path) -> None:
    """Train one run; its own output is shown if it fails."""
    settings = [part for item in {**TINY, **variant}.items() for part in ("--set", "=".join(item))]
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        config = Path(__file__).parents[1] / "config" / "smoke.yaml"
        status = main(["train", "--config", str(config), "--out", str(directory), *settings])
    if status != 0:
        sys.exit(f"{variant}: status {status}\n{output.getvalue()}")


if __name__ == "__main__":
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory() as temporary:
        for number, (name, variant) in enumerate(VARIANTS.items()):
            if wanted and not any(part in name for part in wanted):
                continue
            directory = Path(temporary) / str(number)
            run(variant, directory)
            found = " ".join(f"{key} {value}" for key, value in fingerprints(directory).items())
            print(f"{name}: {found}", flush=True)
