"""Reading what Weights & Biases writes offline: ``run-ID.wandb``, records of protocol buffers in blocks of 32 KiB."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

BLOCK, HEADER = 1 << 15, struct.Struct("<IHB")
FILE_HEADER = 7
FULL, LAST = 1, 4


class OfflineRun(NamedTuple):
    """What one process wrote of a run."""

    run: Any
    """The record of the run: run_id, project, run_group, display_name, tags."""
    config: dict[str, Any]
    axes: dict[str, str]
    """Pattern of metrics -> the metric that is their axis."""
    history: list[dict[str, Any]]
    """Metric -> value of each step, with ``_step``."""


def offline_runs(directory: Path) -> list[OfflineRun]:
    """Read all that lies in the folder ``wandb`` of a run directory, in the order in which it was written."""
    return [_read(path) for path in sorted(directory.glob("offline-run-*/run-*.wandb"))]


def _read(path: Path) -> OfflineRun:
    from wandb.proto.wandb_internal_pb2 import Record

    run, config, axes, history = None, {}, {}, []
    for content in _records(path.read_bytes()):
        record = Record()
        record.ParseFromString(content)
        if record.HasField("run"):
            run = run or record.run
            config |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
        if record.HasField("metric") and record.metric.step_metric:
            axes[record.metric.glob_name or record.metric.name] = record.metric.step_metric
        if record.HasField("history"):
            items = record.history.item
            history.append({item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items})
    return OfflineRun(run, config, axes, history)


def _records(content: bytes) -> Iterator[bytes]:
    assert content.startswith(b":W&B")
    at, whole = FILE_HEADER, b""
    while at + HEADER.size <= len(content):
        left = BLOCK - at % BLOCK
        if left < HEADER.size:
            at += left
            continue
        _, size, kind = HEADER.unpack_from(content, at)
        if kind == 0:
            return
        whole += content[at + HEADER.size : at + HEADER.size + size]
        at += HEADER.size + size
        if kind in (FULL, LAST):
            yield whole
            whole = b""
