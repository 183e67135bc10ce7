"""Settings that the command line has an option of their own for; all others go through ``--set KEY=VALUE``."""

from __future__ import annotations

ORIGINAL_OPTIONS = {
    "method": ("method", "NAME", "what is trained, such as mt_sac (docs/methods.md)"),
    "seed": ("training.seed", "N", "seed of everything that is random in the run"),
    "update_interval": ("masks.update_interval", "N", "training epochs between two renewals of the masks"),
    "pruning_ratio": ("masks.pruning_ratio", "X", "share of the network that a task does not use; 0 is dense"),
    "generator_lr": ("generator.lr", "X", "learning rate of the mask generators"),
    "use_sl_loss": ("generator.use_sl_loss", "0|1", "train the generators on the supervised similarity loss"),
    "use_trajectory_info": ("generator.use_trajectory_info", "0|1", "feed trajectory encodings to the generators"),
    "n_tasks": ("env.n_tasks", "N", "only the first N tasks"),
    "n_workers": ("training.n_workers", "N", "worker processes; the result does not depend on it"),
}
"""Options with a name of their own: the method, the seven of the original program, and the number of workers."""


def option_flag(name: str) -> str:
    """Return an option as it is typed: ``update_interval`` -> ``--update-interval``."""
    return f"--{name.replace('_', '-')}"
