"""The image that training, tables and figures run in, where Snakemake deploys software with Apptainer.

Input:  `containers/must.def` and the hashed lock of the flavour. When their contents change, the image is built anew and
        everything is trained anew; file times do not matter.
Output: `containers/build/must-<flavour>.sif`, and beside it its content digest, the hash of definition and lock, and
        the hash of the package it holds.
"""

FLAVOUR = SWEEP.image_flavour
BOOTSTRAP = EXPERIMENT.container.bootstrap
IMAGE = f"containers/build/must-{FLAVOUR}.sif"
# By its own time the image would train everything again. What counts is the small file beside it, compared by content.
IMAGE_FILES = [ancient(IMAGE), ancient(f"{IMAGE}.digest"), f"{IMAGE}.environment"]
IMAGE_INPUT = IMAGE_FILES if IN_IMAGE else []
TRAINING_ENVIRONMENT = " ".join(
    [
        f"{library}_NUM_THREADS={EXPERIMENT.training.threads}"
        for library in ("OMP", "MKL")
    ]
    + ([f"MUST_IMAGE_DIGEST=$(cat {IMAGE}.digest)"] if IN_IMAGE else [])
)
"""Variables of a training job: cores of one run, and for its manifest the digest of the image."""


rule wheelhouse:
    input:
        lock=ancient(CHECKOUT / "containers" / "locks" / f"{FLAVOUR}.txt"),
    output:
        directory(f"containers/build/wheelhouse-{FLAVOUR}"),
    log:
        f"containers/build/logs/wheelhouse-{FLAVOUR}.log",
    benchmark:
        f"containers/build/logs/wheelhouse-{FLAVOUR}.tsv"
    retries: 0
    localrule: True
    container:
        on_host
    threads: 1
    resources:
        mem_mb=1000,
    params:
        script=CHECKOUT / "containers" / "fill_wheelhouse.sh",
        flavour=FLAVOUR,
        lock=fingerprint("lock", FLAVOUR),
    message:
        "Downloading the wheels of the {params.flavour} image"
    shell:
        "{params.script:q} {params.flavour} {output:q} >{log:q} 2>&1"


rule image:
    input:
        definition=ancient(CHECKOUT / "containers" / "must.def"),
        wheelhouse=rules.wheelhouse.output,
    output:
        image=IMAGE,
        digest=f"{IMAGE}.digest",
        environment=f"{IMAGE}.environment",
        source=f"{IMAGE}.source",
    log:
        f"containers/build/logs/image-{FLAVOUR}.log",
    benchmark:
        f"containers/build/logs/image-{FLAVOUR}.tsv"
    retries: 0
    localrule: True
    container:
        on_host
    threads: 1
    resources:
        mem_mb=4000,
    params:
        script=CHECKOUT / "containers" / "build_image.sh",
        flavour=FLAVOUR,
        bootstrap=BOOTSTRAP,
        environment=fingerprint("environment", FLAVOUR, BOOTSTRAP),
    message:
        "Building the {params.flavour} image (some minutes; progress in {log})"
    shell:
        "{params.script:q} {params.flavour} {params.bootstrap} {input.wheelhouse:q} {output.image:q} >{log:q} 2>&1"
