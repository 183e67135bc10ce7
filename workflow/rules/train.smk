"""Training: one job for each run of the sweep, or for several of them (`resources.runs_per_job`).

Input:  the merged configuration, `results/<name>/config.yaml`, which every invocation records before its first job;
        with Apptainer, the image.
Output: `results/<name>/runs/<axis~value>/.../result.json`, written last. Everything else in the run directory is left
        undeclared on purpose: Snakemake deletes the declared outputs of a failed job, and checkpoints must survive it.

A job of several runs declares a report of its own, `results/<name>/batches/<job>.json`, instead: Snakemake would delete the
results of those that finished when another one fails. It is a checkpoint, after which `finished_runs` asks for the results
themselves. So what is finished counts as finished whatever `runs_per_job` was then and is now.
"""

if RUNS_PER_JOB == 1:

    rule train:
        input:
            image=IMAGE_INPUT,
        output:
            result=f"{RESULTS}/runs/{RUN}/result.json",
        log:
            f"{RESULTS}/logs/train/{RUN}.log",
        benchmark:
            f"{RESULTS}/benchmarks/train/{RUN}.tsv"
        container:
            IMAGE
        threads: EXPERIMENT.training.cores
        resources:
            **SWEEP.resources(runs=1),
        params:
            config=CONFIG,
            run_dir=lambda wildcards, output: Path(output.result).parent,
            options=lambda wildcards: list(run(wildcards).options),
            identity=lambda wildcards: run(wildcards).identity,
            environment=TRAINING_ENVIRONMENT,
        message:
            "Training {params.run_dir} (cores: {threads})"
        shell:
            "export {params.environment}; "
            "must train --config {params.config:q} --out {params.run_dir:q} {params.options:q} --keep-old >{log:q} 2>&1"


checkpoint:
    name:
        "train" if RUNS_PER_JOB > 1 else "train_anew"
    input:
        image=IMAGE_INPUT,
    output:
        finished=f"{RESULTS}/batches/{{batch}}.json",
    log:
        f"{RESULTS}/logs/train/batch-{{batch}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/batch-{{batch}}.tsv"
    container:
        IMAGE
    threads: EXPERIMENT.training.cores * RUNS_PER_JOB
    resources:
        **SWEEP.resources(runs=RUNS_PER_JOB),
    params:
        config=CONFIG,
        results=lambda wildcards, output: Path(output.finished).parents[1],
        run_threads=EXPERIMENT.training.cores,
        runs=lambda wildcards: BATCHES.arguments(wildcards.batch),
        identities=lambda wildcards: [
            run.identity for run in BATCHES.runs(wildcards.batch)
        ],
        one_process="--one-process" if EXPERIMENT.resources.shares_process else "",
        environment=TRAINING_ENVIRONMENT,
    message:
        "Training {params.runs} (cores: {threads})"
    shell:
        "export {params.environment}; "
        "python3 -m must.workflow.batch --config {params.config:q} --results {params.results:q} --finished {output:q} "
        "--slots $(({threads} / {params.run_threads})) {params.one_process} {params.runs:q} >{log:q} 2>&1"
