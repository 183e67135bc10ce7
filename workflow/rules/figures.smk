"""Figures: learning curves, final success by setting and by task, overlap of the tasks' masks.

Input:  `result.json` of every run of the sweep.
Output: `results/<name>/figures/*.{pdf,svg,png}`.
"""


rule figures:
    input:
        results=RESULT_FILES,
    output:
        [figure(name) for name in FIGURES],
        expand(
            f"{RESULTS}/figures/{{name}}.{{suffix}}",
            name=FIGURES,
            suffix=["pdf", "png"],
        ),
    log:
        f"{RESULTS}/logs/figures.log",
    benchmark:
        f"{RESULTS}/benchmarks/figures.tsv"
    container:
        IMAGE
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        config=CONFIG,
        settings=report_settings(),
    message:
        "Drawing the figures of {params.config}"
    shell:
        "must figures --config {params.config:q} >{log:q} 2>&1"
