"""Meta-World's environments with less Python around the simulator: the same observations and rewards, sooner.

Two thirds of the time of a Meta-World step are spent on turning simulator state into an observation and a reward:
rotations through a general library, named look-ups, contacts walked one by one, arrays for single numbers. A subclass
of each environment does these steps directly.
Observations agree to 1e-12 and rewards exactly, which a test holds for every task against Meta-World's own class.

A reset stays Meta-World's: it places the arm and the objects twice, and in a quarter of the tasks where the second time
ends depends on the first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, cached_property
from types import FunctionType
from typing import Any, SupportsFloat

import mujoco
import numpy as np
from metaworld.sawyer_xyz_env import SawyerXYZEnv
from numpy.typing import NDArray

from must.envs.rewards import NUMPY, REWARD_UTILS

Vector = NDArray[np.float64]

HAND_DOWN = np.array((1.0, 0.0, 1.0, 0.0))
"""Orientation of the hand, as a quaternion of any length."""
FINGERS_APART = 0.1
"""Metres between the open gripper's fingers, which the observation gives as 1."""


@cache
def fast_class(original: type[SawyerXYZEnv]) -> type[SawyerXYZEnv]:
    """Return the subclass of one of Meta-World's environment classes that does the same in less time."""
    faster = {"_get_quat_objects": _with_globals(original._get_quat_objects, Rotation=_Rotation)}
    for cls in (SawyerXYZEnv, original):
        for name, function in vars(cls).items():
            if isinstance(function, FunctionType) and "reward_utils" in function.__code__.co_names:
                faster[name] = _with_globals(function, reward_utils=REWARD_UTILS, np=NUMPY)
    return type(original.__name__, (_FastEnv, original), faster)


class _FastEnv(SawyerXYZEnv):  # type: ignore[misc]  # Meta-World is not typed
    """What all tasks share."""

    _prev_obs: Vector

    @cached_property
    def _sites(self) -> _Ids:
        return _Ids(self.model, mujoco.mjtObj.mjOBJ_SITE)

    @cached_property
    def _bodies(self) -> _Ids:
        return _Ids(self.model, mujoco.mjtObj.mjOBJ_BODY)

    @cached_property
    def _geoms(self) -> _Ids:
        return _Ids(self.model, mujoco.mjtObj.mjOBJ_GEOM)

    # Views of the simulator's memory: MuJoCo's bindings make a new one each time they are asked.

    @cached_property
    def _body_positions(self) -> Vector:
        positions: Vector = self.data.xpos
        return positions

    @cached_property
    def _site_positions(self) -> Vector:
        positions: Vector = self.data.site_xpos
        return positions

    @cached_property
    def _mocap(self) -> tuple[Vector, Vector]:
        return self.data.mocap_pos[0], self.data.mocap_quat[0]

    @cached_property
    def _mocap_bounds(self) -> list[tuple[float, float]]:
        return list(zip(self.mocap_low.tolist(), self.mocap_high.tolist(), strict=True))

    @cached_property
    def _bounds(self) -> tuple[Vector, Vector]:
        return self.sawyer_observation_space.low, self.sawyer_observation_space.high

    def step(self, action: NDArray[np.float32]) -> tuple[Vector, SupportsFloat, bool, bool, dict[str, Any]]:
        if self.curr_path_length >= self.max_path_length:
            raise ValueError(f"the episode has ended after {self.max_path_length} steps; reset it")
        self.set_xyz_action(action[:3])
        self._simulate(float(action[3]), self.frame_skip)
        self.curr_path_length += 1
        for site, position in self._target_site_config:  # simulating moves them
            self._site_positions[self._sites[site]] = position[:3]
        mujoco.mj_forward(self.model, self.data)
        observation = self._get_obs()
        low, high = self._bounds
        np.maximum(observation, low, out=observation)
        np.minimum(observation, high, out=observation)
        self._last_stable_obs = observation
        reward, info = self.evaluate_state(observation, action)
        return observation.copy(), reward, False, self.curr_path_length == self.max_path_length, info

    def set_xyz_action(self, action: NDArray[np.float32]) -> None:
        position, quaternion = self._mocap
        kind = action.dtype.type  # what is added is rounded to it, as a product of arrays is
        scale = float(kind(self.action_scale))
        before, bounds = position.tolist(), self._mocap_bounds
        for axis, (value, was, (low, high)) in enumerate(zip(action.tolist(), before, bounds, strict=True)):
            moved = was + float(kind(min(max(value, -1.0), 1.0) * scale))
            position[axis] = min(max(moved, low), high)
        quaternion[:] = HAND_DOWN

    def do_simulation(self, ctrl: Any, n_frames: int | None = None) -> None:
        self._simulate(ctrl[0], n_frames or self.frame_skip)

    def touching_object(self, object_geom_id: int) -> bool:
        contacts = self.data.contact
        pairs = contacts.geom
        forces = self.data.efc_force[contacts.efc_address] if len(pairs) else np.zeros(0)
        with_object = (pairs == object_geom_id).any(axis=1)
        pads = (self._geoms["leftpad_geom"], self._geoms["rightpad_geom"])
        return all(forces[with_object & (pairs == pad).any(axis=1)].sum() > 0 for pad in pads)

    @property
    def tcp_center(self) -> Vector:
        positions = self._site_positions
        center: Vector = (positions[self._sites["rightEndEffector"]] + positions[self._sites["leftEndEffector"]]) / 2.0
        return center

    def get_endeff_pos(self) -> Vector:
        return self.get_body_com("hand")

    def get_body_com(self, body_name: str) -> Vector:
        position: Vector = self._body_positions[self._bodies[body_name]]
        return position

    def _get_site_pos(self, site_name: str) -> Vector:
        position: Vector = self._site_positions[self._sites[site_name]].copy()
        return position

    def _get_curr_obs_combined_no_goal(self) -> Vector:
        apart = self.get_body_com("rightclaw") - self.get_body_com("leftclaw")
        observation = np.zeros(4 + self._obs_obj_max_len)
        observation[:3] = self.get_endeff_pos()
        observation[3] = min(math.sqrt(apart.dot(apart)) / FINGERS_APART, 1.0)
        objects = observation[4:].reshape(-1, 7)
        positions, quaternions = self._get_pos_objects().reshape(-1, 3), self._get_quat_objects().reshape(-1, 4)
        for row, position, quaternion in zip(objects, positions, quaternions, strict=False):
            row[:3] = position
            row[3:] = quaternion
        return observation

    def _get_obs(self) -> Vector:
        goal = self._get_pos_goal()
        current = self._get_curr_obs_combined_no_goal()
        observation = np.empty(2 * len(current) + 3)
        observation[: len(current)] = current
        observation[len(current) : -3] = self._prev_obs
        observation[-3:] = 0 if self._partially_observable else goal
        self._prev_obs = current
        return observation

    def _simulate(self, gripper: float, n_frames: int) -> None:
        """Close the gripper with a force in [-1, 1] and let time pass; contact forces on bodies are not computed."""
        self.data.ctrl[:] = (gripper, -gripper)
        mujoco.mj_step(self.model, self.data, nstep=n_frames)


class _Rotation:
    """The one conversion that Meta-World's tasks want of SciPy's class of that name."""

    def __init__(self, matrix: Vector) -> None:
        self._matrix = matrix

    @staticmethod
    def from_matrix(matrix: Vector) -> _Rotation:
        """Take a rotation matrix (3, 3); the simulator's are orthogonal."""
        return _Rotation(matrix)

    def as_quat(self) -> Vector:
        """Return the quaternion (x, y, z, w) whose largest component is positive."""
        (a, b, c), (d, e, f), (g, h, i) = self._matrix.tolist()
        trace = a + e + i
        largest = max(a, e, i, trace)
        if a == largest:
            x, y, z, w = 1 - trace + 2 * a, d + b, g + c, h - f
        elif e == largest:
            x, y, z, w = d + b, 1 - trace + 2 * e, h + f, c - g
        elif i == largest:
            x, y, z, w = g + c, h + f, 1 - trace + 2 * i, d - b
        else:
            x, y, z, w = h - f, c - g, d - b, 1 + trace
        norm = math.sqrt(x * x + y * y + z * z + w * w)
        return np.array((x / norm, y / norm, z / norm, w / norm))


class _Ids(dict[str, int]):
    """Numbers of the model's named parts, looked up once each."""

    def __init__(self, model: mujoco.MjModel, kind: mujoco.mjtObj) -> None:
        super().__init__()
        self._model, self._kind = model, kind

    def __missing__(self, name: str) -> int:
        number: int = mujoco.mj_name2id(self._model, self._kind, name)
        if number < 0:
            raise KeyError(f"the model has no {name}")
        self[name] = number
        return number


def _with_globals(function: Callable[..., Any], **changed: Any) -> FunctionType:
    """Copy a function; the copy sees other values under some of its module's names."""
    assert isinstance(function, FunctionType)
    copied = FunctionType(
        function.__code__,
        {**function.__globals__, **changed},
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copied.__kwdefaults__ = function.__kwdefaults__
    return copied
