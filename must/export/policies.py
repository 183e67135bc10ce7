"""Trained policies as others take them: a directory for each run, laid out as a model of the Hugging Face hub."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from must.config import Experiment
from must.data import Run
from must.errors import ResultsError
from must.export.archive import Content
from must.export.card import model_card
from must.export.layout import POLICIES, README
from must.files import sha256
from must.run_files import CONFIG, FINAL, MILESTONES, SHARED
from must.types import ACTION_DIM, OBS_DIM

SETTINGS = "config.json"
"""The settings as the hub counts on them; `CONFIG` beside it is what must reads."""


@dataclass(frozen=True)
class Policies:
    """The policies of an archive."""

    names: tuple[str, ...]
    """Paths of the runs that have one, below ``policies/``."""
    files: dict[str, Content]
    """Name in the archive -> content."""


def policies_of(experiment: Experiment, runs: Sequence[Run]) -> Policies:
    """Return the trained policies of finished runs, as far as they are there, and those that were kept on the way.

    Raises:
        ResultsError: One is damaged.
    """
    names, files = list[str](), dict[str, Content]()
    for run in runs:
        if not (run.directory / FINAL).is_file():
            continue
        names.append(run.spec.path)
        place, settings = f"{POLICIES}/{run.spec.path}", run.directory / CONFIG
        kept = sorted(path.parent for path in (run.directory / MILESTONES).glob(f"*/{SHARED}"))
        files[f"{place}/{SHARED}"] = _converted(run)
        files[f"{place}/{CONFIG}"] = settings
        files[f"{place}/{SETTINGS}"] = _as_json(run)
        files[f"{place}/{README}"] = model_card(experiment, run, [path.name for path in kept]).encode()
        for path in kept:
            files |= {f"{place}/{MILESTONES}/{path.name}/{name}": path / name for name in (CONFIG, SHARED)}
    return Policies(tuple(names), files)


def _converted(run: Run) -> bytes:
    """Return the trained policy of a run as safetensors."""
    final = run.directory / FINAL
    result = run.manifest.get("result")
    known = result.get("final_sha256") if isinstance(result, dict) else None
    if known is not None and sha256(final) != known:
        raise _damaged(final, "it is not what the run wrote, by its manifest")
    from must.policy_files import read_policy, to_safetensors  # torch: not for archives of logs alone

    try:
        return to_safetensors(read_policy(final))
    except Exception as error:  # noqa: BLE001 (whatever a damaged file makes torch raise)
        raise _damaged(final, " ".join(str(error).split())[:80] or type(error).__name__) from None


def _damaged(final: Path, reason: str) -> ResultsError:
    return ResultsError(f"{final}: is damaged ({reason}); remove it to export the run without, or train it again")


def _as_json(run: Run) -> bytes:
    settings = run.config.model_dump(mode="json", exclude={"logging", "container"})
    tasks = {"observation_size": OBS_DIM, "action_size": ACTION_DIM, "tasks": list(run.config.env.task_names)}
    return (json.dumps({"library_name": "must", **tasks, **settings}, indent=2) + "\n").encode()
