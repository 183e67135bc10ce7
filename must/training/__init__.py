"""Training runs: the loop, its checkpoints and its directory."""

from must.training.run import resolve_device, train

__all__ = ["resolve_device", "train"]
