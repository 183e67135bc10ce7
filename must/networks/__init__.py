"""Base networks with written-out gradients, and the layers that others are made of."""

from must.networks.base import BaseNetwork, TaskFunction, TaskSize
from must.networks.fused_mlp import TaskParameters, apply_task_parameters, apply_to_pair
from must.networks.initial import HiddenLayers, seeded, task_inputs
from must.networks.mlp import MaskedMLP

__all__ = [
    "BaseNetwork",
    "HiddenLayers",
    "MaskedMLP",
    "TaskFunction",
    "TaskParameters",
    "TaskSize",
    "apply_task_parameters",
    "apply_to_pair",
    "seeded",
    "task_inputs",
]
