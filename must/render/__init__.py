"""Filming a trained policy, without a screen. Only the parts that draw import the simulator."""

from must.render.backend import find_backend
from must.render.command import Request, render

__all__ = ["Request", "find_backend", "render"]
