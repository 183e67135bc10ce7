"""Collection and evaluation in worker processes."""

from must.collect.collector import Collector
from must.collect.runner import RunnerState, TaskRunner

__all__ = ["Collector", "RunnerState", "TaskRunner"]
