"""How long `must status` takes for a large sweep whose runs are in all states, from files that are made up.

python benchmarks/status.py --runs 1000
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from must.manifest import cpu_name
from tests.support.sweep_runs import KINDS, MadeUpSweep

SETTINGS = {"pruning_ratios": [0.1, 0.3, 0.5, 0.7, 0.9], "update_intervals": [25, 50, 100, 400]}
"""20 settings; the rest of the runs are seeds."""


def main() -> None:
    """Make up the runs, look at them in a process of its own three times, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000, help="runs, a multiple of 20 (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sweep = MadeUpSweep(Path(folder) / "results", sweep={"seeds": list(range(options.runs // 20)), **SETTINGS})
        for spec, kind in zip(sweep.specs, itertools.cycle(KINDS), strict=False):
            sweep.write(spec, kind)
        seconds, cpu = zip(*(measured(sweep.directory) for _ in range(3)), strict=True)
    report = {"cpu": cpu_name(), "runs": len(sweep.specs), "status_s": min(seconds), "status_cpu_s": min(cpu)}
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


def measured(directory: Path) -> tuple[float, float]:
    """Run ``must status``; return seconds by the clock, and seconds of CPU."""
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "must.cli", "status", str(directory)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return round(time.monotonic() - start, 2), round(cpu, 2)


if __name__ == "__main__":
    main()
