"""What the report shows beside tables and figures: pages to read, and clips of the best run (`make report`).

Input:  the tables; the merged configuration, `results/<name>/config.yaml`; the results of all runs, for the best one.
Output: `results/<name>/pages/*.html`, `results/<name>/clips/<task>.gif` and a page for each clip. `all` asks for none of
        them: clips need OpenGL, which a machine that trains may lack.
"""


rule pages:
    input:
        tables=expand(f"{RESULTS}/tables/{{name}}.md", name=table_names(EXPERIMENT)),
        image=IMAGE_INPUT,
    output:
        [
            report(
                f"{RESULTS}/pages/{name}.html",
                caption=str(CAPTIONS / f"{name}.rst"),
                category="Tables",
                labels={"table": name.replace("_", " "), "form": "page"},
            )
            for name in table_names(EXPERIMENT)
        ],
    log:
        f"{RESULTS}/logs/pages.log",
    benchmark:
        f"{RESULTS}/benchmarks/pages.tsv"
    retries: 0
    localrule: True
    container:
        IMAGE
    threads: 1
    resources:
        mem_mb=1000,
    params:
        directory=lambda wildcards, output: Path(output[0]).parent,
        settings=report_settings(),
    message:
        "Writing the pages of the tables"
    shell:
        "python3 -m must.workflow.pages --directory {params.directory:q} {input.tables:q} >{log:q} 2>&1"


# Its source is no input: every invocation writes it anew, before its first job.
rule configuration:
    input:
        image=IMAGE_INPUT,
    output:
        report(
            f"{RESULTS}/pages/config.html",
            caption="../report/configuration.rst",
            category="Configuration",
            labels={"file": "config.yaml"},
        ),
    log:
        f"{RESULTS}/logs/configuration.log",
    benchmark:
        f"{RESULTS}/benchmarks/configuration.tsv"
    retries: 0
    localrule: True
    container:
        IMAGE
    threads: 1
    resources:
        mem_mb=1000,
    params:
        directory=lambda wildcards, output: Path(output[0]).parent,
        config=CONFIG,
        settings=SWEEP.digest,
    message:
        "Writing the page of {params.config}"
    shell:
        "python3 -m must.workflow.pages --directory {params.directory:q} {params.config:q} >{log:q} 2>&1"


# Not in the image, which has no OpenGL.
rule clip:
    input:
        results=finished_runs,
    output:
        clip=f"{RESULTS}/clips/{{task}}.gif",
        outcome=f"{RESULTS}/clips/{{task}}.json",
        page=report(
            f"{RESULTS}/pages/clips/{{task}}.html",
            caption="../report/clip.rst",
            category="Clips",
            labels=clip_labels,
        ),
    log:
        f"{RESULTS}/logs/clips/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/clips/{{task}}.tsv"
    retries: 0
    localrule: True
    container:
        on_host
    threads: 1
    resources:
        mem_mb=2000,
    params:
        directory=lambda wildcards, output: Path(output.page).parent,
        run_dir=lambda wildcards: run_to_film().directory,
        run=lambda wildcards: run_to_film().spec.path,
    message:
        "Filming {wildcards.task} of {params.run_dir}"
    shell:
        "{{ must render {params.run_dir:q} --task {wildcards.task:q} --out {output.clip:q} --json >{output.outcome:q}"
        " && python3 -m must.workflow.pages --directory {params.directory:q} {output.clip:q}; }} 2>{log:q}"


rule report_parts:
    input:
        rules.aggregate.output,
        rules.figures.output,
        rules.pages.output,
        rules.configuration.output,
    localrule: True


rule clips:
    input:
        clip_pages,
    localrule: True
