"""Tables: success of every setting and task, aggregates with intervals, what it costs.

Input:  `result.json` of every run of the sweep (or what says that a job's runs are finished); with Apptainer, the image.
Output: `results/<name>/tables/*.{csv,md,tex}`, and what they are made of: `results/<name>/data/*.csv`.
"""


rule aggregate:
    input:
        results=finished_runs,
        image=IMAGE_INPUT,
    output:
        [
            report(
                f"{RESULTS}/tables/{name}.csv",
                caption=str(CAPTIONS / f"{name}.rst"),
                category="Tables",
                labels={"table": name.replace("_", " "), "form": "raw numbers (CSV)"},
            )
            for name in table_names(EXPERIMENT)
        ],
        expand(
            f"{RESULTS}/tables/{{name}}.{{suffix}}",
            name=table_names(EXPERIMENT),
            suffix=["md", "tex"],
        ),
        expand(f"{RESULTS}/data/{{name}}.csv", name=DATA),
    log:
        f"{RESULTS}/logs/aggregate.log",
    benchmark:
        f"{RESULTS}/benchmarks/aggregate.tsv"
    retries: 0
    localrule: True
    container:
        IMAGE
    threads: 1
    resources:
        mem_mb=2000,
    params:
        config=CONFIG,
        settings=report_settings(),
    message:
        "Writing the data and tables of {params.config}"
    shell:
        "must aggregate --config {params.config:q} >{log:q} 2>&1"
