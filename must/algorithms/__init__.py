"""The method: losses, the agent's gradient step, and the mask learner."""

from must.algorithms.agent import GENERATOR_METRICS, METRICS, Agent
from must.algorithms.hooks import NETWORKS, TaskFunctions
from must.algorithms.mask_learner import MaskLearner
from must.algorithms.mask_rule import MaskRule, Published
from must.algorithms.saliency import Saliency
from must.algorithms.steps import GradientSteps

__all__ = [
    "GENERATOR_METRICS",
    "METRICS",
    "NETWORKS",
    "Agent",
    "GradientSteps",
    "MaskLearner",
    "MaskRule",
    "Published",
    "Saliency",
    "TaskFunctions",
]
