"""What the rules share: the experiment behind the configuration, its runs, and where their files lie."""

import json
import os
import sys
from functools import cache
from pathlib import Path

from snakemake.settings.types import DeploymentMethod

import must
from must.config import dump
from must.config.outputs import DATA, figure_names, table_names
from must.errors import MustError
from must.files import write_atomically
from must.streams import explain
from must.sweep.head import record_head, typed_command
from must.sweep.profile import runs_at_once
from must.workflow import head, queues, surroundings
from must.workflow.sweep import Batches, Sweep, read_configuration

IN_IMAGE = DeploymentMethod.APPTAINER in workflow.deployment_settings.deployment_method
"""Whether Snakemake runs the jobs in the image; without, it ignores `container:` silently."""


def stop(error):
    """End with a message about the user's mistake; a WorkflowError would add lines of the workflow's own code."""
    print(error, file=sys.stderr)
    sys.exit(2)


asked = workflow.config_settings
files = (*workflow.configfiles[len(asked.configfiles) :], *asked.configfiles)
try:
    settings = read_configuration(
        [Path(os.path.relpath(path)) for path in files], asked.config_args or ()
    )
    config.clear()
    config.update(settings)
    source = " + ".join(os.path.relpath(path) for path in workflow.configfiles)
    SWEEP = Sweep.parse(config, source=source or "configuration")
    SWEEP.require_image(IN_IMAGE)
except MustError as error:
    stop(error)

EXPERIMENT = SWEEP.experiment
RESULTS = f"results/{EXPERIMENT.name}"
CONFIG = f"{RESULTS}/config.yaml"
AXES = [axis.name for axis in EXPERIMENT.axes]
RUN = os.path.join(*(f"{axis}~{{{axis}}}" for axis in AXES))
"""The path of a run below `runs/`, with a wildcard for each axis."""
CAPTIONS = Path(must.__file__).parent / "paper" / "captions"
"""Of tables and figures; a paper has the same."""
CHECKOUT = Path(
    os.path.relpath(
        Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]
    )
)

environment = surroundings.job_environment(os.environ, Path.cwd())
os.environ.clear()
os.environ.update(environment)


wildcard_constraints:
    **{axis: r"[^/]+" for axis in AXES},


def on_host(wildcards):
    """Return no image: what a rule with this container does, it does on the host, wherever the others work."""
    return None


def run(wildcards):
    """Return the run that the wildcards of a job name."""
    return SWEEP.runs[RUN.format(**wildcards)]


def report_settings():
    """Return the settings that tables and figures depend on beside the runs themselves."""
    return EXPERIMENT.report.model_dump(mode="json")


@cache
def run_to_film():
    """Return the best of the runs that are finished."""
    from must.data import (
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
    """Return the columns of the report's list of clips: the task, and how the episode ended."""
    outcome = Path(RESULTS, "clips", f"{wildcards.task}.json")
    solved = outcome.exists() and json.loads(outcome.read_text())["solved"]
    return {"task": wildcards.task, "episode": "solved" if solved else "not solved"}


def record_config():
    """Write the merged configuration of this invocation (atomically: running jobs may be reading it)."""
    path = Path(CONFIG)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda file: file.write(dump(EXPERIMENT).encode()))


def record_invocation():
    """Write down for `must status` what this head means to train, how many runs at a time, and by which command."""
    jobs = [
        job
        for job in workflow.dag.needrun_jobs()
        if job.rule.name in ("train", "train_anew")
    ]
    planned = []
    for job in jobs:
        batch = job.wildcards_dict.get("batch")
        runs = BATCHES.runs(batch) if batch else [run(job.wildcards)]
        planned += [each.path for each in runs]
    asked = workflow.resource_settings
    cores = int(asked.cores or 1) if workflow.local_exec else None
    at_once = runs_at_once(EXPERIMENT, cores, asked.nodes or 1)
    command = typed_command(sys.argv[1:], os.environ)
    record_head(Path(RESULTS), command, min(at_once, len(SWEEP.runs)), planned)


def fingerprint(*what):
    """Return a hash of what the image depends on, or of the image."""
    try:
        return surroundings.fingerprint(CHECKOUT, *what)
    except MustError as error:
        stop(error)


def begin(image):
    """Prepare the first job of this invocation: see that it can work here, and alone; record what it works on."""
    head.sign_locks(map(Path, getattr(workflow.persistence, "_lockfile", {}).values()))
    here, files = os.getcwd(), [sys.executable, *map(str, workflow.configfiles)]
    building = any(job.rule.name == "image" for job in workflow.dag.needrun_jobs())
    try:
        head.check_place(here, files, IN_IMAGE, not workflow.local_exec)
        if IN_IMAGE and not building and Path(image).exists():
            surroundings.check_image(Path(image), CHECKOUT)
        head.wait_for_others(
            [Path(RESULTS, "runs", path) for path in SWEEP.runs],
            jobs_left,
            queues.CANCEL.get(workflow.executor_plugin.name, "cancel"),
        )
        record_config()
        record_invocation()
    except MustError as error:
        stop(error)
    except OSError as error:
        stop(explain(error))


def jobs_left():
    """Return the cluster's jobs that a head which is gone submitted; those of a head at work are not told apart."""
    if workflow.local_exec or not LEFT.gone or LEFT.at_work:
        return []
    return queues.queued_jobs(workflow.executor_plugin.name, os.getcwd())


if workflow.is_main_process:
    head.heed_interrupts()
    LEFT = head.clear_locks(sys.argv[1:])


RUNS_PER_JOB = EXPERIMENT.resources.runs_per_job
BATCHES = Batches(SWEEP, Path(RESULTS), RUNS_PER_JOB)


def without_metadata(run):
    """Return whether Snakemake does not know what a run was trained with: it was in a job of several, or elsewhere."""
    result = f"{RESULTS}/runs/{run.path}/result.json"
    return os.path.exists(result) and workflow.persistence._read_record(result) is None


def finished_runs(wildcards):
    """Return what says that all runs are finished: their results, and reports of jobs that are still to be done."""
    together = RUNS_PER_JOB > 1
    found = BATCHES.outcomes(lambda run: together or without_metadata(run))
    for result in BATCHES.trained:
        workflow.persistence._delete_record(str(result))  # of an earlier training
    return [str(path) for path in found]
