"""What happens to an experiment on its way: nothing, or one of the things that happen on clusters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.cluster import FASTER, Checkout, run, wait_for

Changes = dict[str, dict[str, Any]]

SHORT: Changes = {
    "sweep": {"seeds": [0]},
    "training": {"epochs": 160, "checkpoint_minutes": 0.03},
    "resources": {"minutes": 10},
}
"""Two runs, long enough to be caught in the middle."""
LONG: Changes = {
    "sweep": {"seeds": [0], "pruning_ratios": [0.5]},
    "training": {"epochs": 1000, "checkpoint_minutes": 0.03},
    "resources": {"minutes": 30},
}
"""One run, longer than a walltime of one minute."""
LONG_IN_SLICES: Changes = LONG | {"resources": {"minutes": 1, "max_minutes": 1}}
BATCH: Changes = SHORT | {"resources": {"minutes": 10, "runs_per_job": 2}}


def undisturbed(checkout: Checkout) -> Checkout:
    """Let it be."""
    checkout.snakemake(*FASTER)
    return checkout


def cancelled(checkout: Checkout) -> Checkout:
    """`scancel` a job in the middle: Snakemake submits it again."""
    head = checkout.start(*FASTER)
    run("scancel", checkout.wait_for_checkpoint())
    head.wait()
    return checkout


def requeued(checkout: Checkout) -> Checkout:
    """`scontrol requeue` a job in the middle, as preemption does: Slurm starts it again by itself."""
    head = checkout.start(*FASTER)
    job = checkout.wait_for_checkpoint()
    run("scontrol", "requeue", job)
    wait_for(lambda: job in checkout.jobs("PENDING"), "requeued job")
    run("scontrol", "update", f"jobid={job}", "starttime=now")  # Slurm itself waits for two minutes
    head.wait()
    return checkout


def beheaded(checkout: Checkout) -> Checkout:
    """Kill the head with -9 in the middle, let its jobs end, and return the same command again."""
    head = checkout.start(*FASTER)
    checkout.wait_for_checkpoint()
    head.kill()
    wait_for(lambda: not checkout.jobs(), "end of the jobs")
    (checkout.directory / "finished-before").write_text(
        "\n".join(name for name, manifest in checkout.manifests().items() if manifest["state"] == "finished")
    )
    checkout.snakemake(*FASTER)
    return checkout


def in_slices(checkout: Checkout) -> Checkout:
    """Let it be, and allow as many jobs as a slow machine may need."""
    checkout.snakemake(*FASTER, "--retries", "20")
    return checkout


REFERENCES: dict[str, tuple[Changes, Callable[[Checkout], Checkout]]] = {
    "short": (SHORT, undisturbed),
    "long": (LONG, undisturbed),
}
DISTURBANCES: dict[str, tuple[Changes, Callable[[Checkout], Checkout]]] = {
    "cancelled": (SHORT, cancelled),
    "requeued": (SHORT, requeued),
    "beheaded": (SHORT, beheaded),
    "cancelled-batch": (BATCH, cancelled),
    "walltime": (LONG_IN_SLICES, in_slices),
}
"""Name -> the experiment, and what is done to it."""
