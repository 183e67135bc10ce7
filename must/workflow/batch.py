"""Train several runs side by side in one job: ``python -m must.workflow.batch``.

Each run has a log of its own, and one that fails does not stop the others. A signal to stop is handed on to the runs,
which checkpoint; the job then fails, and when it is submitted again every run goes on from where it was.
"""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import FrameType

from must.errors import EXIT_INTERRUPTED
from must.files import sha256
from must.run_files import RESULT
from must.streams import announce

STOP_SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGHUP)


def main() -> int:
    """Train the runs; return 0 when all are finished, 75 when the job was asked to stop, else 1."""
    options = _parse()
    if options.one_process:
        return _train_together(options)
    runs = dict(zip(options.runs[::2], options.runs[1::2], strict=True))
    waiting, failed = list(runs), False
    running: dict[str, subprocess.Popen[bytes]] = {}
    stopping = _hand_on_signals(running)
    while running or (waiting and not stopping):
        while waiting and len(running) < options.slots and not stopping:
            run = waiting.pop(0)
            running[run] = _start(options, run, runs[run])
        for run, process in list(running.items()):
            status = process.poll()
            if status is not None:
                del running[run]
                failed = failed or status != 0
                announce(f"{run}: exit status {status}")
        time.sleep(0.2)
    if stopping:
        return EXIT_INTERRUPTED
    if failed:
        return 1
    return _finish(options, runs)


def _train_together(options: argparse.Namespace) -> int:
    """Train the runs in one process, which has the same exit statuses; signals are handed on to it."""
    command = ["must", "train-together", "--config", str(options.config), "--results", str(options.results)]
    process = subprocess.Popen([*command, "--slots", str(options.slots), *options.runs])
    stopping = _hand_on_signals({"all": process})
    if status := process.wait():
        return EXIT_INTERRUPTED if stopping or status == EXIT_INTERRUPTED else 1  # it may not have begun to catch them
    return _finish(options, dict.fromkeys(options.runs[::2]))


def _hand_on_signals(running: Mapping[str, subprocess.Popen[bytes]]) -> list[int]:
    """Hand signals that ask to stop on to what is running when they come; return the list that they are added to."""
    stopping: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopping.append(number)
        for process in running.values():
            process.send_signal(number)

    for number in STOP_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores it
            signal.signal(number, stop)
    return stopping


def _finish(options: argparse.Namespace, runs: Iterable[str]) -> int:
    """Write down that all runs are finished, and with which results."""
    results = {run: sha256(options.results / "runs" / run / RESULT) for run in runs}
    options.finished.parent.mkdir(parents=True, exist_ok=True)
    options.finished.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, type=Path, help="experiment file")
    parser.add_argument("--results", required=True, type=Path, help="results/<name>")
    parser.add_argument("--finished", required=True, type=Path, help="file to write when all runs are finished")
    parser.add_argument("--slots", required=True, type=int, help="runs that are trained at a time")
    parser.add_argument("--one-process", action="store_true", help="train them in one process, not in one each")
    parser.add_argument("runs", nargs="+", help="path below runs/ and options of must train, in turn")
    options = parser.parse_args()
    options.slots = max(options.slots, 1)
    return options


def _start(options: argparse.Namespace, run: str, run_options: str) -> subprocess.Popen[bytes]:
    """Start one run, with its output in a log of its own."""
    log = options.results / "logs" / "train" / f"{run}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = ["must", "train", "--config", str(options.config), "--out", str(options.results / "runs" / run)]
    command += [*shlex.split(run_options), "--keep-old"]
    announce(f"{run}: {shlex.join(command)}")
    with log.open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)


if __name__ == "__main__":
    sys.exit(main())
