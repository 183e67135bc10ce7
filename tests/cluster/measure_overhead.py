"""Measure what a job costs before it trains: `python -m tests.cluster.measure_overhead CHECKOUT_WITH_IMAGE`.

Runs the smoke experiment on the cluster twice, in the image and on the host, and prints for every job the seconds from
its start, by Slurm's clock, to the first step of training.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import yaml

from tests.support.cluster import FASTER, ROOT, Checkout, run


def main() -> None:
    """Print a line for each way."""
    built = Checkout.__new__(Checkout)
    built.directory = Path(sys.argv[1]).resolve()
    settings = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text(encoding="utf-8"))
    ways = {"image": (), "host": ("--software-deployment-method", "env-modules")}
    for way, options in ways.items():
        with tempfile.TemporaryDirectory(dir=ROOT / "build") as scratch:
            checkout = Checkout(Path(scratch) / "checkout", settings, image_from=built)
            checkout.snakemake(*FASTER, *options)
            seconds = sorted(_overheads(checkout))
        each = ", ".join(f"{value:.1f}" for value in seconds)
        sys.stdout.write(f"{way}: {each}; median {statistics.median(seconds):.1f} s\n")


def _overheads(checkout: Checkout) -> list[float]:
    """Return the seconds of every job; Slurm has to remember finished jobs long enough (MinJobAge)."""
    found = []
    for log in (checkout.directory / "results/slurm_logs").rglob("*.log"):
        job = run("scontrol", "show", "job", log.stem)
        started = datetime.fromisoformat(_search(r"StartTime=(\S+)", job))
        (wildcards,) = re.findall(r"Training results/[^/]+/runs/(\S+)", log.read_text(encoding="utf-8"))[:1]
        train_log = (checkout.results / "runs" / wildcards / "train.log").read_text(encoding="utf-8")
        trained = datetime.fromisoformat(_search(r"(\S+ \S+) INFO training from", train_log).replace(",", "."))
        found.append((trained - started).total_seconds())
    return found


def _search(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, f"{pattern} is not in {text}"
    return match.group(1)


if __name__ == "__main__":
    main()
