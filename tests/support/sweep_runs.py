"""Sweeps of which every run is in a state of the test's choosing: the files that a run in that state leaves."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import time
from pathlib import Path
from typing import Any

from must.config import Experiment, RunSpec, dump, parse_experiment
from must.locks import Owner

HERE = Owner.current()
ELSEWHERE = Owner(4711, "node-3", "0-1 4026531836 12345")
GONE = Owner(2**22 + 1, platform.node(), HERE.birth.replace(HERE.birth.split()[-1], "1") if HERE.birth else "")
"""A number that no process has: the largest is 2^22."""
HOUR = 3600.0

KINDS = {
    "finished": "finished",
    "other evaluations": "damaged",
    "no training log": "damaged",
    "torn result": "damaged",
    "stale result": "stale",
    "running here": "running",
    "running elsewhere": "running",
    "slow elsewhere": "running",
    "silent elsewhere": "interrupted",
    "killed": "interrupted",
    "stopped": "interrupted",
    "stopped at once": "interrupted",
    "failed": "failed",
    "refused": "failed",
    "crashed": "failed",
    "begun with other settings": "stale",
    "missing": "missing",
    "only a log": "missing",
}
"""What may lie in a run directory -> how that run stands, where no head is at work."""


class MadeUpSweep:
    """An experiment below ``results/``, whose runs are written one by one."""

    def __init__(self, results: Path, **sections: Any) -> None:
        data = {
            "name": "made",
            "sweep": {"seeds": [0, 1], "pruning_ratios": [0, 0.5], "update_intervals": [10]},
            "env": {"tasks": ["reach-v3", "door-open-v3"]},
            "training": {"epochs": 90, "pretrain_epochs": 10},
        }
        self.experiment: Experiment = parse_experiment(data | sections)
        self.specs = self.experiment.runs()
        self.directory = results / "made"
        (self.directory / "runs").mkdir(parents=True)
        (self.directory / "config.yaml").write_text(dump(self.experiment), encoding="utf-8")
        self._texts: dict[tuple[str, ...], str] = {}

    def place(self, spec: RunSpec) -> Path:
        return self.directory / "runs" / spec.path

    def log(self, spec: RunSpec) -> Path:
        return self.directory / "logs" / "train" / f"{spec.path}.log"

    def write(self, spec: RunSpec, kind: str) -> None:
        """Write a run of one of `KINDS`, half of its epochs done where it is not finished."""
        if kind == "missing":
            return
        log = self.log(spec)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("", encoding="utf-8")
        if kind in ("refused", "only a log"):
            if kind == "refused":
                log.write_text("must: runs/x: is a file; give --out a directory\n", encoding="utf-8")
            return
        other = {"begun with other settings": "  gamma: 0.5", "stale result": "  gamma: 0.5"}.get(kind)
        text = self._text(spec)
        text = re.sub(r"^  gamma: .*$", other, text, flags=re.MULTILINE) if other else text
        done, seconds = (
            (100 if "result" in kind or KINDS[kind] in ("finished", "damaged") else 50),
            1000.0 if kind == "slow elsewhere" else 2.0,
        )
        state = {"stopped": "interrupted", "failed": "failed", "stopped at once": "failed", "finished": "finished"}
        error = {"failed": "the disk is full\nsecond line", "stopped at once": "KeyboardInterrupt"}.get(kind)
        owner = {"running here": HERE, "killed": GONE}.get(kind, ELSEWHERE if "elsewhere" in kind else None)
        files = {
            "config.yaml": text,
            ".lock": owner.record.decode() if owner else "",
            "manifest.json": json.dumps({"state": state.get(kind, "running"), "error": error}),
            "timing.csv": "epoch,collect_s,learn_s,evaluate_s\n"
            + "".join(f"{epoch},{seconds / 4},{seconds / 2},{seconds / 4}\n" for epoch in range(1, done + 1)),
            "eval.csv": f"epoch,env_steps,mean_success\n0,0,0\n{done},9,0.25\n",
            "train.csv": "epoch\n",
            "checkpoints/00000040.json": "{}",
            "checkpoints/00000020.json": "{}",
        }
        if done == 100:
            sums = {name: hashlib.sha256(files[name].encode()).hexdigest() for name in ("eval.csv", "train.csv")}
            files["result.json"] = json.dumps({"sha256": sums})[: 30 if kind == "torn result" else None]
            files["eval.csv"] += "100,9,0.25\n" if kind == "other evaluations" else ""
        if kind == "no training log":
            del files["train.csv"]
        place = self.place(spec)
        (place / "checkpoints").mkdir(parents=True)
        for name, content in files.items():
            (place / name).write_text(content, encoding="utf-8")
        if kind == "crashed":
            log.write_text("Traceback (most recent call last):\n  x\nRuntimeError: no kernel image\n", encoding="utf-8")
        if kind == "silent elsewhere":
            self.age(spec, 2 * HOUR)
        if kind == "slow elsewhere":
            self.age(spec, HOUR)

    def age(self, spec: RunSpec, seconds: float) -> None:
        """Let a run's files, and its job's log, be older than they are."""
        for path in (*self.place(spec).rglob("*"), self.log(spec)):
            if path.is_file():
                then = time.time() - seconds
                os.utime(path, (then, then))

    def head(self, owner: Owner, planned: list[RunSpec], ended: bool = False, age: float = 0.0) -> None:
        """Write down a head."""
        content = {"command": "make reproduce CONFIG=made.yaml", "at_once": 2, "pid": owner.pid, "host": owner.host}
        content |= {"birth": owner.birth, "ended": ended, "runs": [spec.path for spec in planned]}
        path = self.directory / "invocation.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        os.utime(path, (time.time() - age,) * 2)

    def _text(self, spec: RunSpec) -> str:
        params = dict(spec.params)
        seed, key = params.pop("seed"), tuple(params.values())
        if key not in self._texts:
            data = self.experiment.model_dump(mode="json")
            self._texts[key] = dump(parse_experiment(data, self.experiment.overrides(spec)).run_config())
        return re.sub(r"^  seed: \d+$", f"  seed: {seed}", self._texts[key], flags=re.MULTILINE)
