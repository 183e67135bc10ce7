"""Figures: learning curves, final success by setting and by task, overlap of the tasks' masks.

Input:  `result.json` of every run of the sweep; with Apptainer, the image.
Output: `results/<name>/figures/*.{pdf,svg,png}`.
"""


rule figures:
    input:
        results=finished_runs,
        image=IMAGE_INPUT,
    output:
        [
            report(
                f"{RESULTS}/figures/{name}.svg",
                caption=str(CAPTIONS / f"{name}.rst"),
                category="Figures",
                labels={"figure": name.replace("_", " ")},
            )
            for name in figure_names(EXPERIMENT)
        ],
        expand(
            f"{RESULTS}/figures/{{name}}.{{suffix}}",
            name=figure_names(EXPERIMENT),
            suffix=["pdf", "png"],
        ),
    log:
        f"{RESULTS}/logs/figures.log",
    benchmark:
        f"{RESULTS}/benchmarks/figures.tsv"
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
        "Drawing the figures of {params.config}"
    shell:
        "must figures --config {params.config:q} >{log:q} 2>&1"
