"""Starts of episodes, kept so that a goal's second reset need not move the arm there again.

Meta-World's reset places the arm with a hundred simulated steps, as much time as forty of an episode's. Where it ends
depends on the goal alone, so it is done once a goal, and after that the state in which it left the environment is put
back: the simulator's, what tasks change in its model, and the environment's own attributes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from metaworld.sawyer_xyz_env import SawyerXYZEnv
from numpy.typing import NDArray

from must.types import Float32

_STATE = mujoco.mjtState.mjSTATE_INTEGRATION
"""All that the next simulated step depends on, the solver's warm start included."""
_MODEL = ("body_pos", "body_quat", "geom_pos", "geom_quat", "site_pos", "site_quat")
"""Arrays of the model that a reset may change: where fixed parts of the scene stand."""
_BODIES = ("xpos", "xquat", "xmat", "xipos", "ximat")
_POSES = (*_BODIES, "geom_xpos", "geom_xmat", "site_xpos", "site_xmat", "cam_xpos", "cam_xmat")
"""Arrays that a step computes anew, but a camera may want before the first one."""
_RESTORED = (bool, int, float, tuple, list, type(None), np.generic, np.ndarray)
"""Types of the environment's attributes that a reset or a step may set."""


@dataclass(frozen=True)
class Start:
    """An environment as a reset to one goal leaves it."""

    observation: Float32
    """(D,), the first of the episode."""
    _state: NDArray[np.float64]
    _arrays: tuple[NDArray[np.float64], ...]
    _attributes: dict[str, Any]

    @staticmethod
    def of(env: SawyerXYZEnv, observation: Float32) -> Start:
        """Copy the state of an environment that has just been reset."""
        state = np.empty(mujoco.mj_stateSize(env.model, _STATE))
        mujoco.mj_getState(env.model, env.data, state, _STATE)
        attributes = {name: _copy(value) for name, value in vars(env).items() if isinstance(value, _RESTORED)}
        return Start(observation, state, tuple(array.copy() for array in _arrays(env)), attributes)

    def restore(self, env: SawyerXYZEnv) -> None:
        """Put the same environment into this state again."""
        mujoco.mj_setState(env.model, env.data, self._state, _STATE)
        for array, kept in zip(_arrays(env), self._arrays, strict=True):
            array[:] = kept
        vars(env).update({name: _copy(value) for name, value in self._attributes.items()})


def _arrays(env: SawyerXYZEnv) -> list[NDArray[np.float64]]:
    return [getattr(env.model, name) for name in _MODEL] + [getattr(env.data, name) for name in _POSES]


def _copy(value: Any) -> Any:
    """Copy what a step may change in place; an array that shows the simulator's memory goes on showing it."""
    if isinstance(value, np.ndarray):
        return value if _shows_simulator(value) else value.copy()
    return list(value) if isinstance(value, list) else value


def _shows_simulator(array: NDArray[Any]) -> bool:
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return owner is not None and not isinstance(owner, bytes)  # an array out of a pickle lies in bytes
