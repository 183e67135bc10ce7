"""What happens to an experiment on its way: nothing, or one of the things that happen on clusters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.cluster import FASTER, TABLES_ONLY, Checkout, OnGridengine, run, wait_for
from tests.support.slurm import ThreeNodes

Changes = dict[str, dict[str, Any]]

SHORT: Changes = {
    "sweep": {"seeds": [0]},
    "training": {"epochs": 240, "checkpoint_minutes": 0.03},
    "resources": {"minutes": 10},
}
"""Two runs, long enough to be caught in the middle."""
LONG: Changes = {
    "sweep": {"seeds": [0], "pruning_ratios": [0.5]},
    "training": {"epochs": 3000, "checkpoint_minutes": 0.03},
    "resources": {"minutes": 60},
}
"""One run, longer than a walltime of one minute: 130 s on a Zen 5 at rest, several times that on an old core."""
LONG_IN_SLICES: Changes = LONG | {"resources": {"minutes": 1, "max_minutes": 1}}
BATCH: Changes = SHORT | {"resources": {"minutes": 10, "runs_per_job": 2}}


def undisturbed(checkout: Checkout) -> Checkout:
    """Let it be."""
    checkout.snakemake(*FASTER, *TABLES_ONLY)
    return checkout


def cancelled(checkout: Checkout) -> Checkout:
    """`scancel` a job in the middle: Snakemake submits it again."""
    head = checkout.start(*FASTER, *TABLES_ONLY)
    run("scancel", checkout.wait_for_checkpoint())
    head.wait()
    return checkout


def requeued(checkout: Checkout) -> Checkout:
    """`scontrol requeue` a job in the middle, as preemption does: Slurm starts it again by itself."""
    head = checkout.start(*FASTER, *TABLES_ONLY)
    job = checkout.wait_for_checkpoint()
    run("scontrol", "requeue", job)
    wait_for(lambda: job in checkout.jobs("PENDING"), "requeued job")
    run("scontrol", "update", f"jobid={job}", "starttime=now")  # Slurm itself waits for two minutes
    head.wait()
    return checkout


def beheaded(checkout: Checkout) -> Checkout:
    """Kill the head with -9 in the middle, let its jobs end, and return the same command again."""
    head = checkout.start(*FASTER, *TABLES_ONLY)
    checkout.wait_for_checkpoint()
    head.kill()
    wait_for(lambda: not checkout.jobs(), "end of the jobs")
    (checkout.directory / "finished-before").write_text(
        "\n".join(name for name, manifest in checkout.manifests().items() if manifest["state"] == "finished")
    )
    checkout.snakemake(*FASTER, *TABLES_ONLY)
    return checkout


def in_slices(checkout: Checkout) -> Checkout:
    """Let it be, and allow as many jobs as a slow machine may need."""
    checkout.snakemake(*FASTER, "--retries", "20", *TABLES_ONLY)
    return checkout


def node_lost(checkout: Checkout, accounting: bool) -> Checkout:
    """Let the node of a job die with it, in a Slurm of three nodes: Slurm starts the job on another one."""
    with ThreeNodes(checkout.directory.with_suffix(".slurm"), accounting) as cluster:
        checkout.environment |= cluster.environment
        report = ("--slurm-efficiency-report", "--slurm-efficiency-report-path", ".") if accounting else ()
        head = checkout.start(*FASTER, *report, *TABLES_ONLY)
        job = checkout.wait_for_checkpoint()
        node = cluster.ask("squeue", "--noheader", "--jobs", job, "--format", "%N").strip()
        cluster.lose(node)
        wait_for(lambda: job in checkout.jobs("PENDING"), "requeued job")
        cluster.ask("scontrol", "update", f"jobid={job}", "starttime=now")
        head.wait()
        told = cluster.ask("scontrol", "show", "job", job)
        assert "Restarts=1" in told, told
        assert f"NodeList={node}" not in told, told
    return checkout


def deleted_and_beheaded(checkout: Checkout) -> Checkout:
    """`qdel` a job in the middle; kill the head with -9, and `qdel` a job for which the next one waits."""
    head = checkout.start(*FASTER, *TABLES_ONLY)
    run("qdel", checkout.wait_for_checkpoint())
    wait_for(lambda: "failed: " in checkout.last_log, "failed job")
    checkout.wait_for_checkpoint()
    head.kill()
    head = checkout.start(*FASTER, *TABLES_ONLY)
    wait_for(lambda: "    qdel " in checkout.last_log, "head that waits")
    run("qdel", *checkout.jobs())
    head.wait()
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
"""Name -> the experiment, and what is done to it on the Slurm of this machine."""
ELSEWHERE: dict[str, tuple[type[Checkout], Callable[[Checkout], Checkout]]] = {
    "node-lost": (Checkout, lambda checkout: node_lost(checkout, accounting=False)),
    "node-lost-accounting": (Checkout, lambda checkout: node_lost(checkout, accounting=True)),
    "gridengine": (OnGridengine, deleted_and_beheaded),
}
"""Name -> what is done to the short experiment in a place of its own."""
