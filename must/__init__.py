"""MUST: multi-task sparse training, and the pipeline that reproduces it."""

__version__ = "0.1.0"
