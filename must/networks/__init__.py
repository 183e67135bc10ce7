"""Base networks, mask generators and the trajectory encoder."""

from must.networks.encoder import TrajectoryEncoder
from must.networks.generators import make_generator
from must.networks.mlp import MaskedMLP, TaskParameters, apply_task_parameters

__all__ = ["MaskedMLP", "TaskParameters", "TrajectoryEncoder", "apply_task_parameters", "make_generator"]
