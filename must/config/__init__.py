"""Configuration: typed sections, the sweep of an experiment, and how both are read."""

from must.config.axes import AXES, axis_named
from must.config.experiment import Experiment
from must.config.load import (
    dump,
    identity,
    load_experiment,
    load_sweep,
    parse_assignments,
    parse_experiment,
    parse_sweep,
    result_settings,
)
from must.config.masks import GeneratorConfig, MaskConfig
from must.config.methods import (
    METHODS,
    CagradConfig,
    MagnitudeConfig,
    MethodSpec,
    PacoConfig,
    SoftModularizationConfig,
    T3sConfig,
)
from must.config.run_spec import NOT_APPLICABLE, RunSpec
from must.config.schema import (
    EnvConfig,
    EvaluationConfig,
    NetworkConfig,
    RunConfig,
    SacConfig,
    TrainingConfig,
)
from must.config.surroundings import ContainerConfig, LoggingConfig

__all__ = [
    "AXES",
    "METHODS",
    "NOT_APPLICABLE",
    "CagradConfig",
    "ContainerConfig",
    "EnvConfig",
    "EvaluationConfig",
    "Experiment",
    "GeneratorConfig",
    "LoggingConfig",
    "MagnitudeConfig",
    "MaskConfig",
    "MethodSpec",
    "NetworkConfig",
    "PacoConfig",
    "RunConfig",
    "RunSpec",
    "SacConfig",
    "SoftModularizationConfig",
    "T3sConfig",
    "TrainingConfig",
    "axis_named",
    "dump",
    "identity",
    "load_experiment",
    "load_sweep",
    "parse_assignments",
    "parse_experiment",
    "parse_sweep",
    "result_settings",
]
