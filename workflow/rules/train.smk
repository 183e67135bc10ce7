"""Training: one job for each run of the sweep.

Input:  the merged configuration, `results/<name>/config.yaml`, which every invocation records before its first job;
        with Apptainer, the image.
Output: `results/<name>/runs/<axis~value>/.../result.json`, written last. Everything else in the run directory is left
        undeclared on purpose: Snakemake deletes the declared outputs of a failed job, and checkpoints must survive it.
"""

TRAINED = expand(f"{RESULTS}/runs/{{run}}/result.json", run=list(RUNS))


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
    threads: RUN_THREADS
    resources:
        **training_resources(runs=1),
    params:
        config=CONFIG,
        run_dir=lambda wildcards, output: Path(output.result).parent,
        options=lambda wildcards: run_options(run_path(wildcards)),
        identity=lambda wildcards: run_identity(run_path(wildcards)),
        environment=TRAINING_ENVIRONMENT,
    message:
        "Training {params.run_dir} (cores: {threads})"
    shell:
        "export {params.environment}; "
        "must train --config {params.config:q} --out {params.run_dir:q} {params.options:q} --keep-old >{log:q} 2>&1"
