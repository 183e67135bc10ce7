"""Tables of the final success rates.

Input:  `result.json` of every run of the sweep (or what says that a job's runs are finished); with Apptainer, the image.
Output: `results/<name>/tables/success_rate.{csv,md,tex}`.
"""


rule aggregate:
    input:
        results=TRAINED,
        image=IMAGE_INPUT,
    output:
        report(
            f"{RESULTS}/tables/success_rate.csv",
            caption="../report/success_rate.rst",
            category="Tables",
            labels={"table": "final success rate"},
        ),
        multiext(f"{RESULTS}/tables/success_rate", ".md", ".tex"),
    log:
        f"{RESULTS}/logs/aggregate.log",
    benchmark:
        f"{RESULTS}/benchmarks/aggregate.tsv"
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
        "Writing the tables of {params.config}"
    shell:
        "must aggregate --config {params.config:q} >{log:q} 2>&1"
