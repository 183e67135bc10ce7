"""How long data, tables and figures take, and how much memory, for a sweep of any size, from logs that are made up.

python benchmarks/aggregate.py --runs 1000 --evaluations 1000
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from must.config import Experiment, dump
from must.manifest import cpu_name
from tests.support.run_factory import RunFactory, learning_curves

SETTINGS = {
    "granularities": ["weight", "neuron"],
    "pruning_ratios": [0.1, 0.3, 0.5, 0.7, 0.9],
    "update_intervals": [25, 50, 100, 400],
}
"""40 settings; the rest of the runs are seeds."""


def main() -> None:
    """Make up the logs, aggregate them in a process of its own, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000, help="runs, a multiple of 40 (default: %(default)s)")
    parser.add_argument("--evaluations", type=int, default=1000, help="evaluations of each (default: %(default)s)")
    parser.add_argument("--figures", action="store_true", help="draw the figures as well")
    parser.add_argument("--out", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        factory = RunFactory(Path(folder) / "results")
        experiment = factory.experiment(
            env={"benchmark": "MT10"},
            sweep={"seeds": list(range(options.runs // 40)), **SETTINGS},
            training={"epochs": options.evaluations},
            evaluation={"interval": 1},
        )
        factory.write_all(experiment, partial(learning_curves, evaluations=options.evaluations))
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        report = {
            "cpu": cpu_name(),
            "runs": len(experiment.runs()),
            "evaluations": options.evaluations,
            "tasks": len(experiment.env.task_names),
            "logs_mb": round(size / 1e6),
            **measured(Path(folder), experiment, "aggregate"),
            **(measured(Path(folder), experiment, "figures") if options.figures else {}),
        }
    text = json.dumps(report, indent=2) + "\n"
    sys.stdout.write(text)
    if options.out is not None:
        options.out.write_text(text)


def measured(folder: Path, experiment: Experiment, command: str) -> dict[str, float]:
    """Run ``must aggregate`` or ``must figures``; return what it took.

    Returns:
        Seconds by the clock; seconds of CPU, which other programs on the machine lengthen less; and the most memory of
        any command so far, in MB.
    """
    config = folder / "config.yaml"
    config.write_text(dump(experiment))
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    arguments = [command, "--config", str(config), "--results", str(folder / "results")]
    subprocess.run([sys.executable, "-m", "must.cli", *arguments], check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        f"{command}_s": round(seconds, 1),
        f"{command}_cpu_s": round(cpu, 1),
        f"{command}_mb": after.ru_maxrss // 1024,
    }


if __name__ == "__main__":
    main()
