"""Training runs: the loop, its checkpoints and its directory."""

from must.run_files import RESULT
from must.training.run import resolve_device, train

__all__ = ["RESULT", "resolve_device", "train"]
