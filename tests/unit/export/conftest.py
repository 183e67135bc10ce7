"""An archive of four small runs, two of them with policies; figures, which take seconds, are a stand-in."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

import must.analysis
from must.algorithms import make_agent
from must.config import Experiment, dump, parse_experiment
from must.export.pack import export
from must.policy_files import write_policy
from tests.support.run_factory import RunFactory

SECTIONS = {
    "network": {"hidden_sizes": [12, 9]},
    "training": {"epochs": 100, "device": "cpu", "keep_policies": [0.5]},
    "evaluation": {"interval": 50, "episodes": 1},
    "env": {"tasks": ["reach-v3", "door-open-v3"], "horizon": 10},
}


class Made(NamedTuple):
    """What an archive was made of."""

    experiment: Experiment
    config: Path
    results: Path
    archive: Path


def figures(experiment: Experiment, results: Path, width: str = "auto") -> list[Path]:
    path = results / experiment.name / "figures" / "learning_curves.svg"
    path.parent.mkdir()
    path.write_text("<svg/>")
    return [path]


def make(place: Path) -> Made:
    runs = RunFactory(place / "results")
    experiment = runs.experiment(**SECTIONS)
    runs.write_all(experiment)
    for spec in experiment.runs():
        if spec.seed == 0:
            config = parse_experiment(experiment.model_dump(mode="json"), experiment.overrides(spec)).run_config()
            state = make_agent(config, torch.device("cpu")).final_state()
            directory = runs.directory(experiment, spec)
            torch.save({"config": {}, **state}, directory / "final.pt")
            write_policy(directory / "milestones" / "0.5", config, state)
    path = place / "fake.yaml"
    path.write_text(f"# As it was written\n{dump(experiment)}")
    return Made(experiment, path, runs.results, export(path, runs.results).path)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """An archive that no test changes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(must.analysis, "write_figures", figures)
        return make(tmp_path_factory.mktemp("export"))


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(must.analysis, "write_figures", figures)


Change = Callable[[dict[str, bytes]], None]


@pytest.fixture
def changed(made: Made, tmp_path: Path) -> Callable[..., Path]:
    """Write the archive with some of its files changed, and with checksums that fit (or as they were)."""

    def write(change: Change, sums: bool = True) -> Path:
        import hashlib

        with zipfile.ZipFile(made.archive) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        change(files)
        if sums:
            lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in files if name != "SHA256SUMS"]
            files["SHA256SUMS"] = "".join(lines).encode()
        path = tmp_path / "changed.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path

    return write
