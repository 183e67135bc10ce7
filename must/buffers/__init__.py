"""What was collected: transitions for the learner, trajectories for the mask generators."""

from must.buffers.replay import Batch, ReplayBuffer, Returns
from must.buffers.trajectories import TrajectoryStore

__all__ = ["Batch", "ReplayBuffer", "Returns", "TrajectoryStore"]
