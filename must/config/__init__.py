"""Configuration: typed sections, the sweep of an experiment, and how both are read."""

from must.config.axes import AXES, axis_named
from must.config.evaluation import EvaluationConfig
from must.config.experiment import Experiment
from must.config.load import (
    dump,
    identity,
    load_experiment,
    load_sweep,
    parse_experiment,
    parse_recorded,
    parse_sweep,
    read_recorded,
    result_settings,
)
from must.config.masks import GeneratorConfig, MaskConfig
from must.config.methods import CONTROL, DEFAULT, LOG_COLUMNS, METHODS, STATIC_CONTROL, MethodSpec
from must.config.overrides import parse_assignments
from must.config.run_spec import NOT_APPLICABLE, RunSpec
from must.config.schema import (
    EnvConfig,
    NetworkConfig,
    RunConfig,
    SacConfig,
)
from must.config.surroundings import ContainerConfig, LoggingConfig
from must.config.training import TrainingConfig

__all__ = [
    "AXES",
    "CONTROL",
    "DEFAULT",
    "LOG_COLUMNS",
    "METHODS",
    "NOT_APPLICABLE",
    "STATIC_CONTROL",
    "ContainerConfig",
    "EnvConfig",
    "EvaluationConfig",
    "Experiment",
    "GeneratorConfig",
    "LoggingConfig",
    "MaskConfig",
    "MethodSpec",
    "NetworkConfig",
    "RunConfig",
    "RunSpec",
    "SacConfig",
    "TrainingConfig",
    "axis_named",
    "dump",
    "identity",
    "load_experiment",
    "load_sweep",
    "parse_assignments",
    "parse_experiment",
    "parse_recorded",
    "parse_sweep",
    "read_recorded",
    "result_settings",
]
