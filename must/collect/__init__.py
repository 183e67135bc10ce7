"""Collection and evaluation in worker processes."""

from must.collect.background import BackgroundEvaluation, is_on
from must.collect.collector import Collector
from must.collect.runner import RunnerState, TaskRunner

__all__ = ["BackgroundEvaluation", "Collector", "RunnerState", "TaskRunner", "is_on"]
