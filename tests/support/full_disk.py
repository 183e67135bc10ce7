"""A run of a sweep on a disk of its own that fills up, and what `must status` says of it.

Run it under ``unshare --map-root-user --mount``: the disk is there for this process and its children only. It prints,
as JSON, the state and the reason while the disk is full.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import yaml

from must.config import load_experiment
from must.sweep.survey import survey
from tests.support.processes import epochs_logged, must_command, wait_for
from tests.support.small_disk import fill

RUN = "pruning_ratio~0/update_interval~na/seed~0"


def main(disk: Path, config: Path) -> None:
    """Train until the disk is full.

    Args:
        disk: An empty directory.
        config: The experiment, of one run.
    """
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120m", "tmpfs", str(disk)], check=True)
    place = disk / "results" / "smoke"
    log = place / "logs" / "train" / f"{RUN}.log"
    log.parent.mkdir(parents=True)
    (place / "config.yaml").write_text(yaml.safe_dump(yaml.safe_load(config.read_text())), encoding="utf-8")
    command = must_command("train", "--config", place / "config.yaml", "--out", place / "runs" / RUN)
    with log.open("wb") as output:
        process = subprocess.Popen([*command, "--pruning-ratio", "0", "--seed", "0"], stdout=output, stderr=output)
    wait_for(process, lambda: epochs_logged(place / "runs" / RUN / "train.csv") >= 4)
    fill(disk / "ballast", process)
    process.wait(120)
    (run,) = survey(load_experiment(place / "config.yaml"), place).runs
    sys.stdout.write(json.dumps([run.state.value, run.look.reason]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
