"""A wheel of the project, installed by itself, works in an empty directory far from any checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from must.config import dump
from tests.support.helpers import ROOT, tracked_names
from tests.support.run_factory import RunFactory

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel installs, and nothing else."""
    place = tmp_path_factory.mktemp("wheel")
    for name in tracked_names():  # what else lies in the checkout is not part of it
        if (ROOT / name).is_file() and not name.startswith(("results/", "docs/", "tests/")):
            (place / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / "source" / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "wheel", *options, "--wheel-dir", place, place / "source"], check=True)
    (wheel,) = place.glob("must-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", place / "site", wheel], check=True)
    return place / "site"


def run(installed: Path, here: Path, *arguments: object) -> str:
    environment = os.environ | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def must(installed: Path, here: Path, *arguments: object) -> str:
    return run(installed, here, "-m", "must.cli", *arguments)


def test_every_module_and_file_is_in_it(installed: Path) -> None:
    assert [name for name in tracked_names("must") if not (installed / name).is_file()] == []
    shared = installed / "share" / "must"
    for pattern in ("workflow/**/*", "containers/locks/*.txt", "containers/must.def", "config/*.yaml"):
        for path in ROOT.glob(pattern):
            if path.is_file():
                assert (shared / path.relative_to(ROOT)).read_bytes() == path.read_bytes()


def test_it_trains_plans_and_checks_a_machine(installed: Path, tmp_path: Path) -> None:
    place = run(installed, tmp_path, "-c", "import must.checkout as c; print(c.ROOT, c.shared())").split()
    assert place == [str(installed), str(installed / "share" / "must")]
    config = installed / "share" / "must" / "config" / "smoke.yaml"
    assert "Everything that training needs is here" in " ".join(must(installed, tmp_path, "doctor").split())
    settings = ["--set", "training.epochs=1", "--set", "training.keep_policies=[1.0]", "--pruning-ratio", "0"]
    must(installed, tmp_path, "train", "--config", config, "--out", "run", *settings)
    assert (tmp_path / "run" / "milestones" / "1" / "model.safetensors").is_file()
    assert "all" in must(installed, tmp_path, "sizes", "--config", config)
    assert "runs to train" in must(installed, tmp_path, "plan", config)


def test_it_exports_with_the_pipeline_and_verifies(installed: Path, tmp_path: Path) -> None:
    runs = RunFactory(tmp_path / "results")
    experiment = runs.experiment()
    runs.write_all(experiment)
    (tmp_path / "fake.yaml").write_text(dump(experiment))
    assert "4 of 4 runs" in must(installed, tmp_path, "export", "--config", "fake.yaml")
    archive = tmp_path / "results" / "fake" / "fake.zip"
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    assert {"pipeline/workflow/Snakefile", "pipeline/containers/must.def", "CITATION.cff", "LICENSE"} <= set(names)
    assert "all 19 tables" in must(installed, tmp_path, "verify", archive)
