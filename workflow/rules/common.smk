"""What the rules share: the experiment behind the configuration, its runs, and where their files lie."""

import hashlib
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

from snakemake.settings.types import DeploymentMethod
from snakemake.utils import update_config

from must.cli import ORIGINAL_OPTIONS, option_flag
from must.config import dump, identity, parse_experiment, parse_sweep
from must.config.outputs import figure_names, table_names
from must.config.yaml_text import parse_yaml, read_yaml
from must.errors import ConfigError, MustError
from must.streams import explain
from must.sweep.batches import make_batches

OPTIONS = {key: option_flag(name) for name, (key, *_) in ORIGINAL_OPTIONS.items()}
"""Settings that `must train` takes through an option of their own; the others go through `--set`."""

IN_IMAGE = DeploymentMethod.APPTAINER in workflow.deployment_settings.deployment_method
"""Whether Snakemake runs the jobs in the image; without, it ignores `container:` silently."""


def read_configuration():
    """Read the configuration files as `must` does: Snakemake reads YAML 1.1, and of two equal keys it drops one."""
    asked = workflow.config_settings
    own = workflow.configfiles[len(asked.configfiles) :]
    merged = {}
    for path in (*own, *asked.configfiles):
        data = read_yaml(Path(os.path.relpath(path)))
        update_config(merged, data if isinstance(data, dict) else {})
    for entry in asked.config_args or ():
        key, _, text = entry.partition("=")
        update_config(merged, {key: parse_yaml(text, source=f"--config {entry}")})
    config.clear()
    config.update(merged)


def read_experiment():
    """Validate the configuration, and every run of its sweep: (experiment, run path -> (spec, identity))."""
    read_configuration()
    source = " + ".join(os.path.relpath(path) for path in workflow.configfiles)
    experiment = parse_sweep(config, source=source or "configuration")
    runs = {}
    for spec in experiment.runs():
        overrides = experiment.overrides(spec)
        run = parse_experiment(config, overrides, source=f"run {spec.path}")
        runs[spec.path] = (spec, identity(run.run_config()))
    if experiment.container.required and not IN_IMAGE:
        raise ConfigError(
            "container.required is true, but Snakemake was not asked to use the image: run it with --profile slurm "
            "or --profile workflow/profiles/local-apptainer, or set container.required to false"
        )
    return experiment, runs


def stop(error):
    """End with a message about the user's mistake; a WorkflowError would add lines of the workflow's own code."""
    print(error, file=sys.stderr)
    sys.exit(2)


try:
    EXPERIMENT, RUNS = read_experiment()
except MustError as error:
    stop(error)

RESULTS = f"results/{EXPERIMENT.name}"
CONFIG = f"{RESULTS}/config.yaml"
AXES = [axis.name for axis in EXPERIMENT.axes]
RUN = os.path.join(*(f"{axis}~{{{axis}}}" for axis in AXES))
"""The path of a run below `runs/`, with a wildcard for each axis."""
RUN_THREADS = max(EXPERIMENT.training.threads, EXPERIMENT.training.n_workers)
"""CPU cores of a training run: its learner and its workers take turns."""
CHECKOUT = Path(
    os.path.relpath(
        Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]
    )
)

# Jobs find `must` beside the Snakemake that runs them, whether or not its environment is activated. What a user's shell
# says to Python and to bash is kept from them, in the image too; and their caches lie beside the results.
SEARCH_PATH = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
LEAKS = re.compile(
    r"((APPTAINER|SINGULARITY)ENV_)?(PYTHON.+|BASH_ENV|BASH_FUNC_.+|ENV|CDPATH|POSIXLY_CORRECT)"
)
for variable in filter(LEAKS.fullmatch, list(os.environ)):
    del os.environ[variable]
os.environ.update(
    PATH=os.pathsep.join(SEARCH_PATH),
    PYTHONNOUSERSITE="1",
    XDG_CACHE_HOME=str(Path(".cache").absolute()),
    MPLCONFIGDIR=str(Path(".cache", "matplotlib").absolute()),
)


wildcard_constraints:
    **{axis: r"[^/]+" for axis in AXES},


def on_host(wildcards):
    """Return no image: what a rule with this container does, it does on the host, wherever the others work."""
    return None


def run_path(wildcards):
    """Return the path of a run below `runs/`."""
    return RUN.format(**wildcards)


def run_options(path):
    """Return the options of `must train` that set a run apart from the rest of its sweep."""
    options = []
    for key, value in EXPERIMENT.overrides(RUNS[path][0]).items():
        if key in OPTIONS:
            options += [OPTIONS[key], value]
        else:
            options += ["--set", f"{key}={value}"]
    return options


def run_identity(path):
    """Return the hash of the settings that a run depends on: it is trained again when they change, and only then."""
    return RUNS[path][1]


def batch_arguments(runs):
    """Return the runs of a batch as its script takes them: path, options, path, options, ..."""
    return [
        argument for run in runs for argument in (run, shlex.join(run_options(run)))
    ]


def training_resources(runs):
    """Return the resources of a job that trains so many runs side by side; each attempt asks for more."""
    asked = EXPERIMENT.resources
    longest = asked.max_minutes or float("inf")
    gpus = {"gres": f"gpu:{asked.gpus}"} if asked.gpus else {}
    return {
        "mem_mb": lambda wildcards, attempt: asked.mem_mb * runs * attempt,
        "runtime": lambda wildcards, attempt: min(asked.minutes * attempt, longest),
        **gpus,
    }


def report_settings():
    """Return the settings that tables and figures depend on beside the runs themselves."""
    return EXPERIMENT.report.model_dump(mode="json")


def settings_digest():
    """Return a hash of the merged configuration, all of it."""
    return hashlib.sha256(dump(EXPERIMENT).encode()).hexdigest()[:16]


@cache
def run_to_film():
    """Return the best of the runs that are finished."""
    from must.analysis import (
        best_run,
        load_results,
    )  # takes seconds, and only a report needs it

    try:
        return best_run(load_results(EXPERIMENT, Path("results")))
    except MustError as error:
        stop(error)


def clip_pages(wildcards):
    """Return the page of each task's clip; which tasks there are depends on the best run, if benchmarks are swept."""
    tasks = run_to_film().config.env.task_names
    return expand(f"{RESULTS}/pages/clips/{{task}}.html", task=tasks)


def clip_labels(wildcards):
    """Return the columns of the report's list of clips: the task, and how the episode ended, which the job's log says."""
    log = Path(RESULTS, "logs", "clips", f"{wildcards.task}.log")
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    return {
        "task": wildcards.task,
        "episode": "solved" if ", solved at" in text else "not solved",
    }


def record_config():
    """Write the merged configuration of this invocation (atomically: running jobs may be reading it)."""
    path = Path(CONFIG)
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(dump(EXPERIMENT), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        stop(explain(error))


def image_flavour():
    """Return the flavour of the image that the experiment runs in."""
    asked = EXPERIMENT.container.flavour
    if asked != "auto":
        return asked
    return "cuda" if EXPERIMENT.resources.gpus else "cpu"


def fingerprint(*what):
    """Return a hash of what the image depends on, or of the image; see the script."""
    script = str(CHECKOUT / "containers" / "fingerprint.sh")
    done = subprocess.run([script, *what], capture_output=True, text=True)
    if done.returncode:
        stop(f"{script} {' '.join(what)}: {done.stderr.strip()}")
    return done.stdout.strip()


def check_image(image):
    """Refuse to run jobs in an image that is not what the files beside it say, or that holds another version of must."""
    if not Path(image).exists() or any(
        job.rule.name == "image" for job in workflow.dag.needrun_jobs()
    ):
        return
    rebuild = f"snakemake --profile workflow/profiles/local-apptainer --configfile ... --forcerun image -- {image}"
    for what, found in (
        ("digest", fingerprint("content", image)),
        ("source", fingerprint("source")),
    ):
        record = Path(f"{image}.{what}")
        if not record.exists() or record.read_text(encoding="utf-8").strip() != found:
            stop(
                f"{image}: holds another version of must than this checkout, or is not the image that {record} is about. "
                f"Build it anew (finished runs stay as they are):\n    {rebuild}"
            )
