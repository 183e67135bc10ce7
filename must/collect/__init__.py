"""Collection and evaluation in worker processes."""

from must.collect.background import BackgroundEvaluation, is_on
from must.collect.collector import Collector
from must.collect.messages import RunnerState

__all__ = ["BackgroundEvaluation", "Collector", "RunnerState", "is_on"]
