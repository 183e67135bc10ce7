"""The method: losses, the agent's gradient step, and the mask learner."""

from must.algorithms.agent import GENERATOR_METRICS, METRICS, NETWORKS, Agent, reported
from must.algorithms.hooks import TaskFunctions
from must.algorithms.mask_learner import MaskLearner
from must.algorithms.steps import GradientSteps

__all__ = [
    "GENERATOR_METRICS",
    "METRICS",
    "NETWORKS",
    "Agent",
    "GradientSteps",
    "MaskLearner",
    "TaskFunctions",
    "reported",
]
