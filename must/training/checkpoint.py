"""Checkpoints: complete, atomic, checksummed, and incremental where it counts.

A checkpoint of epoch e is ``<e>.pt`` (everything but the replay buffer), the ``replay-*.npy`` files of the transitions
since the checkpoint before, and ``<e>.json``, written last, which names them all with their SHA-256. A checkpoint
without its ``.json`` does not exist. All of it is data: nothing in it is executed when it is read.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch

from must.buffers import ReplayBuffer
from must.errors import CheckpointError
from must.files import sha256, write_atomically

KEEP = 2
"""Checkpoints that are kept: the newest, and one to fall back on."""

log = logging.getLogger("must")


class Checkpoints:
    """The checkpoints of one run."""

    def __init__(self, directory: Path, identity: str) -> None:
        """Use a directory, which need not exist yet.

        Args:
            directory: Where they lie.
            identity: Hash of the run's settings; checkpoints of other settings are refused.
        """
        self._directory, self._identity = directory, identity
        self._replay_files: list[dict[str, Any]] = []

    def save(self, epoch: int, state: dict[str, Any], replay: ReplayBuffer) -> None:
        """Write a checkpoint; of the replay buffer only the rows since the last one.

        Args:
            epoch: Epochs that are complete.
            state: Tensors, numbers, strings, and lists and dictionaries of them.
            replay: The replay buffer.
        """
        self._directory.mkdir(exist_ok=True)
        oldest = max(0, replay.added - replay.capacity)
        saved = self._replay_files[-1]["stop"] if self._replay_files else 0
        if replay.added > saved:
            start = max(saved, oldest)
            path = self._directory / f"replay-{start:012d}-{replay.added:012d}.npy"
            rows = replay.rows(start, replay.added).numpy()
            digest = write_atomically(path, lambda file: np.save(file, rows, allow_pickle=False))
            self._replay_files.append({"file": path.name, "start": start, "stop": replay.added, "sha256": digest})
        self._replay_files = [entry for entry in self._replay_files if entry["stop"] > oldest]
        path = self._directory / f"{epoch:08d}.pt"
        digest = write_atomically(path, lambda file: torch.save(state, file))
        index = {
            "identity": self._identity,
            "epoch": epoch,
            "sha256": digest,
            "replay_rows": replay.added,
            "replay": self._replay_files,
        }
        text = json.dumps(index, indent=1)
        write_atomically(path.with_suffix(".json"), lambda file: file.write(text.encode()))
        self._prune()

    def load(self, replay: ReplayBuffer) -> dict[str, Any] | None:
        """Return the newest sound checkpoint's state and fill the replay buffer, or None where there is none.

        A damaged one is set aside with a warning, and the one before is used.

        Raises:
            CheckpointError: All are damaged, or they belong to other settings.
        """
        indices = self._indices()
        for path in indices:
            try:
                return self._load(path, replay)
            except CheckpointError:
                raise
            except Exception as error:  # noqa: BLE001 (whatever a damaged file makes json, numpy or torch raise)
                reason = " ".join(str(error).split())[:100]
                log.warning("checkpoint %s is damaged (%s); using the one before", path.with_suffix(".pt"), reason)
                path.rename(path.with_suffix(".json.damaged"))
        if indices or any(self._directory.glob("*.damaged")):
            raise CheckpointError(
                f"{self._directory}: every checkpoint is damaged; "
                f"delete {self._directory.parent} to train from the start"
            )
        return None

    def _load(self, path: Path, replay: ReplayBuffer) -> dict[str, Any]:
        index = json.loads(path.read_text())
        if index["identity"] != self._identity:
            raise CheckpointError(f"{path}: belongs to a run with other settings; give --out another directory")
        data = path.with_suffix(".pt")
        if sha256(data) != index["sha256"]:
            raise ValueError("its checksum does not fit")
        for entry in index["replay"]:
            if sha256(self._directory / entry["file"]) != entry["sha256"]:
                raise ValueError(f"the checksum of {entry['file']} does not fit")
        state = torch.load(data, weights_only=True, map_location="cpu")
        replay.added = index["replay"][0]["start"] if index["replay"] else 0
        for entry in index["replay"]:
            rows = torch.from_numpy(np.load(self._directory / entry["file"], allow_pickle=False))
            replay.append_rows(rows)
        replay.added = index["replay_rows"]
        self._replay_files = index["replay"]
        assert isinstance(state, dict)
        return state

    def _indices(self) -> list[Path]:
        """Return the indices of all complete checkpoints, newest first."""
        return sorted(self._directory.glob("[0-9]*.json"), reverse=True)

    def _prune(self) -> None:
        """Delete what no kept checkpoint needs."""
        needed = set()
        for path in self._indices()[:KEEP]:
            needed |= {path.name, path.with_suffix(".pt").name}
            needed |= {entry["file"] for entry in json.loads(path.read_text())["replay"]}
        for path in self._directory.iterdir():
            if path.name not in needed:
                path.unlink()
