"""Benchmarks: how long the parts of a run take on this machine, and how much of that is arithmetic."""

from must.bench.command import main

__all__ = ["main"]
