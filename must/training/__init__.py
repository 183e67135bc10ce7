"""Training runs: the loop, its checkpoints and its directory."""

from must.run_files import RESULT
from must.training.device import resolve_device
from must.training.run import train

__all__ = ["RESULT", "resolve_device", "train"]
