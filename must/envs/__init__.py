"""Meta-World environments with our own seeds and recorded goals."""

from must.envs.task_env import N_GOALS, TaskEnv, TaskGoals

__all__ = ["N_GOALS", "TaskEnv", "TaskGoals"]
