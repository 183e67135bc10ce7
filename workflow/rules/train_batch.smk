"""Training when `resources.runs_per_job` is above 1: a job trains several runs side by side.

Input:  the merged configuration, `results/<name>/config.yaml`, which every invocation records before its first job;
        with Apptainer, the image.
Output: `results/<name>/batches/<number>.json`, written when all runs of the job are finished. The runs' own files are
        left undeclared: Snakemake would delete the results of those that finished when another one fails. Whatever is
        finished already is skipped by `must train`, so a job that is submitted again goes on with the rest.
"""

BATCHES = make_batches(EXPERIMENT.runs(), EXPERIMENT.resources.runs_per_job)
TRAINED = expand(f"{RESULTS}/batches/{{batch}}.json", batch=list(BATCHES))


rule train:
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
    threads: RUN_THREADS * EXPERIMENT.resources.runs_per_job
    resources:
        **training_resources(runs=EXPERIMENT.resources.runs_per_job),
    params:
        script=CHECKOUT / "workflow" / "scripts" / "train_batch.py",
        config=CONFIG,
        results=RESULTS,
        run_threads=RUN_THREADS,
        runs=lambda wildcards: batch_arguments(BATCHES[wildcards.batch]),
        identities=lambda wildcards: [
            run_identity(run) for run in BATCHES[wildcards.batch]
        ],
        environment=TRAINING_ENVIRONMENT,
    message:
        "Training {params.runs} (cores: {threads})"
    shell:
        "export {params.environment}; "
        "python3 {params.script:q} --config {params.config:q} --results {params.results:q} --finished {output:q} "
        "--slots $(({threads} / {params.run_threads})) {params.runs:q} >{log:q} 2>&1"
