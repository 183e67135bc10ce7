"""An evaluation episode, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray

from must.collect.runner import TaskRunner
from must.evaluation import load_policy

Frame = NDArray[np.uint8]
"""(H, W, 3)"""

LOOK_AT, DISTANCE, AZIMUTH, ELEVATION = (0.0, 0.65, 0.12), 1.5, 157.0, -35.0
"""Camera: metres and degrees. It stands beside the robot, so that the arm hides neither gripper nor object. (Of
Meta-World's own cameras, those in the corners are upside down.)"""
SAMPLES = 4
"""For each pixel, so that edges are smooth. Shadows there are none: without a GPU they cost more than all the rest."""
GOAL_RADIUS, GOAL_COLOUR = 0.02, (0.1, 0.9, 0.2, 0.6)
"""Metres; red, green, blue, opacity."""


class Film:
    """One episode of a task, as the run's last evaluation ran it: the same goals, the mean action, the last masks.

    The same run gives the same frames each time.
    """

    def __init__(self, run_dir: Path, task: int, episode: int, size: tuple[int, int]) -> None:
        """Read the run, and place the camera.

        Args:
            run_dir: Directory of a finished run.
            task: Index of the task in the run's one-hot.
            episode: Which episode of an evaluation, from 0.
            size: (width, height) of the frames in pixels.

        Raises:
            RunDirectoryError: The directory does not hold a finished run.
        """
        config, policy = load_policy(run_dir)
        runner = TaskRunner(config.env.task_names[task], config.training.seed, config.env)
        self.size, self.horizon = size, config.evaluated(last=True).horizon
        self._policy = policy.for_tasks([task])
        self._env, self._goal = runner.eval_env, runner.evaluation_goals(episode + 1)[episode]
        self.step_seconds = self._env.step_seconds
        self._solved_at: int | None = None
        self._return = 0.0

    def frames(self, every: int = 1) -> Iterator[Frame]:
        """Run the episode; return the frame of its start, and the one after each ``every`` steps."""
        observation = self._env.reset(self._goal)
        self._solved_at, self._return = None, 0.0
        with _Camera(self._env.simulator, self.size) as camera:
            yield camera.take(self._env.goal_position)
            for step in range(1, self.horizon + 1):
                action = self._policy.act(observation[None], None)[0]
                observation, reward, success = self._env.step(action)
                self._return += reward
                if success and self._solved_at is None:
                    self._solved_at = step
                if step % every == 0:
                    yield camera.take(self._env.goal_position)

    @property
    def solved(self) -> bool:
        """Whether the task was solved at any step; all of the frames must have been taken."""
        return self._solved_at is not None

    @property
    def outcome(self) -> str:
        """How the episode ended, in words; all of its frames must have been taken."""
        solved = f"solved at step {self._solved_at} of" if self._solved_at else "not solved in"
        return f"{solved} {self.horizon} steps, return {self._return:.2f}"


class _Camera:
    """Takes pictures of a simulator, without changing it. Use it as a context manager: leaving it frees OpenGL."""

    def __init__(self, simulator: tuple[mujoco.MjModel, mujoco.MjData], size: tuple[int, int]) -> None:
        model, self._data = simulator
        width, height = size
        model.vis.global_.offwidth, model.vis.global_.offheight = size
        model.vis.quality.offsamples = SAMPLES
        self._renderer = mujoco.Renderer(model, height, width)
        for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION):
            self._renderer.scene.flags[flag] = False
        self._view = mujoco.MjvCamera()
        self._view.type = mujoco.mjtCamera.mjCAMERA_FREE
        self._view.lookat[:] = LOOK_AT
        self._view.distance, self._view.azimuth, self._view.elevation = DISTANCE, AZIMUTH, ELEVATION
        # Meta-World's own mark of the goal stays where the model has it in many tasks: it is hidden, and drawn anew.
        self._options = mujoco.MjvOption()
        self._options.sitegroup[:] = 0

    def take(self, goal: NDArray[np.float64]) -> Frame:
        """Take a picture, with a mark at the goal (3,)."""
        scene = self._renderer.scene
        self._renderer.update_scene(self._data, camera=self._view, scene_option=self._options)
        sphere, size = mujoco.mjtGeom.mjGEOM_SPHERE, np.full(3, GOAL_RADIUS)
        colour = np.array(GOAL_COLOUR, np.float32)
        mujoco.mjv_initGeom(scene.geoms[scene.ngeom], sphere, size, goal, np.eye(3).ravel(), colour)
        scene.ngeom += 1
        picture: Frame = self._renderer.render()
        return picture

    def __enter__(self) -> _Camera:
        return self

    def __exit__(self, *_: object) -> None:
        self._renderer.close()
