"""The measurements of `benchmarks/gpu.sh`, each in a process of its own: what it found lies in OUT as JSON.

Every variant is written as soon as it is measured, so that a time limit costs no more than what it cuts off.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from must.bench.kernels import count_kernels
from must.bench.measure import machine
from must.bench.report import bench_config, gpu_page
from must.bench.targets import TARGETS, Settings, agent_and_replay, gradient_steps
from must.config import METHODS
from must.training import resolve_device
from must.training.device import own_stream

NEURON = {"masks.granularity": "neuron"}
VARIANTS: dict[str, dict[str, str]] = {
    "dense": {"masks.pruning_ratio": "0"},
    **{f"neuron {ratio}": {**NEURON, "masks.pruning_ratio": ratio} for ratio in ("0.5", "0.8", "0.95")},
    **{f"weight {ratio}": {"masks.pruning_ratio": ratio} for ratio in ("0.5", "0.8", "0.95")},
    "dense, TF32": {"masks.pruning_ratio": "0", "training.matmul_precision": "high"},
    **{name: {**NEURON, "masks.pruning_ratio": "0.8", "method": name} for name in METHODS if name != "must"},
}
TINY = {"network.hidden_sizes": "[24, 24]", "env.n_tasks": "2", "sac.batch_size_per_task": "8"}
SHORT = {"training.opt_times": "5", "training.epoch_frames": "30", "env.horizon": "30", "evaluation.episodes": "1"}
"""With `TINY`: sizes for a rehearsal without a GPU."""
RUNS = {
    "dense": "--pruning-ratio 0",
    "static": "--method static_sparse --pruning-ratio 0.8",
    "must": "--pruning-ratio 0.8",
}


def main() -> int:
    """Take one measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("steps", "masks", "sharing", "epoch", "train", "summary"))
    parser.add_argument("--device", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--scratch", type=Path, default=Path())
    parser.add_argument("--seconds", type=int, default=0)
    options = parser.parse_args()
    return int(globals()[f"_{options.what}"](options) or 0)


class Findings:
    """What was found so far, in a file."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Begin with nothing."""
        self._path, self._found = options.out / f"{options.what}.json", dict[str, Any]()
        self.device = resolve_device(options.device)
        self.tiny = options.device == "cpu"

    def add(self, name: str, measure: Callable[[], Any]) -> None:
        """Measure, and write what is known now; a failure is written down, and the next one goes on."""
        try:
            self._found[name] = measure()
        except Exception as error:  # noqa: BLE001 (the others are still to be measured)
            self._found[name] = {"error": f"{type(error).__name__}: {error}"[:300]}
        self._path.write_text(json.dumps(self._found, indent=1) + "\n")
        sys.stdout.write(f"{name} {json.dumps(self._found[name])}\n")
        sys.stdout.flush()

    def settings(self, overrides: dict[str, str]) -> Settings:
        """Return settings of the sizes of mt10_paper, or tiny ones."""
        overrides = overrides | (TINY if self.tiny else {})
        torch.set_float32_matmul_precision(overrides.get("training.matmul_precision", "highest"))
        return Settings(bench_config(Path("config/mt10_paper.yaml"), overrides), self.device, 3 if self.tiny else 10)


def _steps(options: argparse.Namespace) -> None:
    found = Findings(options)

    def variant(overrides: dict[str, str]) -> dict[str, Any]:
        settings = found.settings(overrides)
        step = TARGETS["update"](settings)[0].as_dict()
        agent, replay = agent_and_replay(settings)
        steps = gradient_steps(agent, replay, settings, record=False)  # to be counted one by one
        return {**step, "kernels": count_kernels(lambda: steps.take(1), settings.device)}

    found.add("machine", lambda: machine(found.device))
    for name, overrides in VARIANTS.items():
        found.add(name, lambda overrides=overrides: variant(overrides))


def _masks(options: argparse.Namespace) -> None:
    found = Findings(options)
    for ratio in ("0.5", "0.8", "0.95"):
        overrides = {**NEURON, "masks.pruning_ratio": ratio}
        for target in ("mask-update", "recording"):
            found.add(
                f"neuron {ratio}, {target}",
                lambda overrides=overrides, target=target: [
                    each.as_dict() for each in TARGETS[target](found.settings(overrides))
                ],
            )


def _sharing(options: argparse.Namespace) -> None:
    """Gradient steps a second of all runs together, that take them at the same time, each on a stream of its own."""
    found = Findings(options)
    seconds, counts = (0.5, (1, 2)) if found.tiny else (2.0, (1, 2, 4, 8, 16))
    for name in ("dense", "neuron 0.8"):
        settings = found.settings(VARIANTS[name])
        for count in counts:
            found.add(
                f"{name}, {count} runs", lambda count=count, settings=settings: _together(settings, count, seconds)
            )


def _together(settings: Settings, count: int, seconds: float) -> dict[str, float]:
    taken, ready, go = [0] * count, threading.Barrier(count + 1), threading.Event()
    made = [agent_and_replay(settings) for _ in range(count)]
    stop = threading.Event()

    def run(number: int) -> None:
        with own_stream(settings.device):
            steps = gradient_steps(*made[number], settings)
            steps.take(20).sum().item()
            ready.wait(60)
            go.wait(60)
            while not stop.is_set():
                steps.take(20).sum().item()
                taken[number] += 20

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    ready.wait(60)
    began = time.perf_counter()
    go.set()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    return {"steps_per_second": sum(taken) / (time.perf_counter() - began), "runs": count}


def _epoch(options: argparse.Namespace) -> int:
    """Epochs of mt10_standard, all in: collection, gradient steps, mask updates, evaluation beside them."""
    tiny = options.device == "cpu"
    changes = {"training.epochs": "6", "training.pretrain_epochs": "1", "masks.update_interval": "2"}
    changes |= {"evaluation.interval": "3", "evaluation.episodes": "5", "training.device": options.device}
    changes |= (TINY | SHORT) if tiny else {"training.n_workers": str(max(1, (os.cpu_count() or 1) // 2))}
    run = options.scratch / "run"
    command = [sys.executable, "-m", "must.cli", "train", "--config", "config/mt10_standard.yaml", "--out", str(run)]
    words = [word for pair in changes.items() for word in ("--set", "=".join(pair))]
    status = subprocess.run([*command, "--pruning-ratio", "0.8", *words]).returncode
    _bring_back(options.scratch, options.out / "epoch")
    with (run / "timing.csv").open(newline="") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    (options.out / "epoch.json").write_text(json.dumps(rows, indent=1) + "\n")
    return status


def _train(options: argparse.Namespace) -> int:
    """MT10 for real: three seeds of each setting, which share the device for as long as there is time."""
    tiny, seeds = options.device == "cpu", (1,) if options.device == "cpu" else (1, 2, 3)
    changes = {"evaluation.interval": "40", "evaluation.episodes": "10", "training.device": options.device}
    changes |= {"training.checkpoint_minutes": "600"}
    changes |= (TINY | SHORT | {"training.epochs": "400", "masks.update_interval": "5"}) if tiny else {}
    words = " ".join(f"--set {key}={value.replace(' ', '')}" for key, value in changes.items())
    runs = [
        word
        for seed in seeds
        for name, own in RUNS.items()
        for word in (f"{name}/seed~{seed}", f"{own} {words} --seed {seed}")
    ]
    command = [sys.executable, "-m", "must.cli", "train-together", "--config", "config/mt10_standard.yaml"]
    process = subprocess.Popen([*command, "--results", str(options.scratch), *runs])
    signal.signal(signal.SIGTERM, lambda number, _frame: process.send_signal(number))
    try:
        status = process.wait(max(10, options.seconds))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        status = process.wait()
    _bring_back(options.scratch, options.out / "train")
    return 0 if status in (0, 75) else status


def _bring_back(scratch: Path, out: Path) -> None:
    """Copy logs, tables and manifests, not checkpoints or networks."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(scratch, out, ignore=shutil.ignore_patterns("checkpoints", "*.pt", ".lock"))


def _summary(options: argparse.Namespace) -> None:
    """Put all that was found into one file, and into the page about performance."""
    found: dict[str, Any] = {"steps_taken": (options.out / "steps.tsv").read_text().splitlines()}
    for path in sorted(options.out.glob("*.json")):
        if path.name != "summary.json":
            found[path.stem] = json.loads(path.read_text())
    found["train"] = {
        str(path.parent.relative_to(options.out)): _end(path) for path in options.out.glob("train/runs/**/eval.csv")
    }
    text = json.dumps(found, indent=1) + "\n"
    (options.out / "summary.json").write_text(text)
    about = found.get("steps", {}).get("machine", {})
    if options.device == "cpu" or not about.get("gpu"):
        return  # a rehearsal
    name = about["gpu"].lower().replace(" ", "-")
    Path("benchmarks/results", f"{name}.json").write_text(text)
    page = Path("docs/performance.md")
    page.write_text(gpu_page(page.read_text(), found, name))
    shutil.copy(page, options.out)


def _end(path: Path) -> dict[str, str]:
    """Return the last evaluation of a run."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))[-1]


if __name__ == "__main__":
    sys.exit(main())
