"""Base networks, mask generators and the trajectory encoder."""

from must.networks.base import BaseNetwork, TaskFunction, TaskSize
from must.networks.compositional import CompositionalMLP
from must.networks.encoder import TrajectoryDecoder, TrajectoryEncoder
from must.networks.fused_mlp import TaskParameters, apply_task_parameters, apply_to_pair
from must.networks.generators import make_generator
from must.networks.heads import MultiHeadMLP, SeparateMLPs
from must.networks.initial import HiddenLayers, task_inputs
from must.networks.mlp import MaskedMLP

__all__ = [
    "BaseNetwork",
    "CompositionalMLP",
    "HiddenLayers",
    "MaskedMLP",
    "MultiHeadMLP",
    "SeparateMLPs",
    "TaskFunction",
    "TaskParameters",
    "TaskSize",
    "TrajectoryDecoder",
    "TrajectoryEncoder",
    "apply_task_parameters",
    "apply_to_pair",
    "make_generator",
    "task_inputs",
]
