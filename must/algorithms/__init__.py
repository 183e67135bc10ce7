"""Multi-task SAC: pure losses, the agent with its one gradient step, and the parts that an agent is made of."""

from must.algorithms.agent import METRICS, Agent
from must.algorithms.gradient_surgery import WeighedGradients
from must.algorithms.making import make_agent
from must.algorithms.masking import NETWORKS, CutMasks, MaskSource
from must.algorithms.parts import (
    Architecture,
    GradientRule,
    Parts,
    StepKind,
    TaskFunctions,
    TaskWeighting,
    TaskWeights,
)
from must.algorithms.steps import GradientSteps

__all__ = [
    "METRICS",
    "NETWORKS",
    "Agent",
    "Architecture",
    "CutMasks",
    "GradientRule",
    "GradientSteps",
    "MaskSource",
    "Parts",
    "StepKind",
    "TaskFunctions",
    "TaskWeighting",
    "TaskWeights",
    "WeighedGradients",
    "make_agent",
]
