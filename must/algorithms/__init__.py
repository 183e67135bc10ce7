"""The method: losses, the agent's gradient step, and the mask learner."""

from must.algorithms.agent import METRICS, Agent
from must.algorithms.mask_learner import NETWORKS, MaskLearner

__all__ = ["METRICS", "NETWORKS", "Agent", "MaskLearner"]
