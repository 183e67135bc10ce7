"""What the rules share: the experiment behind the configuration, its runs, and where their files lie."""

import os
import sys
from pathlib import Path

import pandas as pd
from snakemake.utils import Paramspace

from must.config import dump, identity, parse_experiment
from must.errors import MustError

ORIGINAL_OPTIONS = {
    "training.seed": "--seed",
    "masks.update_interval": "--update-interval",
    "masks.pruning_ratio": "--pruning-ratio",
    "generator.lr": "--generator-lr",
    "generator.use_sl_loss": "--use-sl-loss",
    "generator.use_trajectory_info": "--use-trajectory-info",
}
"""Settings that `must train` takes through an option of their own; the others go through `--set`."""


def read_experiment():
    """Validate the configuration, and every run of its sweep: (experiment, run path -> (spec, identity))."""
    source = " + ".join(os.path.relpath(path) for path in workflow.configfiles)
    experiment = parse_experiment(config, source=source or "configuration")
    runs = {}
    for spec in experiment.runs():
        overrides = experiment.overrides(spec)
        run = parse_experiment(config, overrides, source=f"run {spec.path}")
        runs[spec.path] = (spec, identity(run.run_config()))
    return experiment, runs


try:
    EXPERIMENT, RUNS = read_experiment()
except MustError as error:
    # A WorkflowError would add lines of the workflow's own code to a message about the user's.
    print(error, file=sys.stderr)
    sys.exit(2)

RESULTS = f"results/{EXPERIMENT.name}"
CONFIG = f"{RESULTS}/config.yaml"
SWEEP = Paramspace(pd.DataFrame([dict(spec.params) for spec, _ in RUNS.values()]))
RUN_THREADS = max(EXPERIMENT.training.threads, EXPERIMENT.training.n_workers)
"""CPU cores of a training run: its learner and its workers take turns."""

IMAGE = "containers/build/must.sif"

RESULT_FILES = expand(f"{RESULTS}/runs/{{run}}/result.json", run=list(RUNS))
FIGURES = {
    "learning_curves": "learning curves",
    "success_by_pruning_ratio": "final success by pruning ratio",
    "success_by_update_interval": "final success by update interval",
    "success_by_task": "final success by task",
    "mask_overlap": "mask overlap between tasks",
}
"""File name -> label in the report."""


wildcard_constraints:
    **{axis: r"[^/]+" for axis in SWEEP.columns},


def run_path(wildcards):
    """Give the path of a run below `runs/`."""
    return SWEEP.wildcard_pattern.format(**wildcards)


def run_options(path):
    """Give the options of `must train` that set a run apart from the rest of its sweep."""
    options = []
    for key, value in EXPERIMENT.overrides(RUNS[path][0]).items():
        options += (
            [ORIGINAL_OPTIONS[key], value]
            if key in ORIGINAL_OPTIONS
            else ["--set", f"{key}={value}"]
        )
    return options


def run_identity(path):
    """Give the hash of the settings that a run depends on: it is trained again when they change, and only then."""
    return RUNS[path][1]


def report_settings():
    """Give the settings that tables and figures depend on beside the runs themselves."""
    return EXPERIMENT.report.model_dump(mode="json")


def figure(name):
    """Declare the SVG of a figure, which the report shows; its PDF and PNG lie beside it."""
    return report(
        f"{RESULTS}/figures/{name}.svg",
        caption=f"../report/{name}.rst",
        category="Figures",
        labels={"figure": FIGURES[name]},
    )


def record_config():
    """Write the merged configuration of this invocation (atomically: running jobs may be reading it)."""
    path = Path(CONFIG)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    partial.write_text(dump(EXPERIMENT), encoding="utf-8")
    partial.replace(path)
