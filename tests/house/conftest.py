"""`make setup` in a small copy of the project: its own tiny locks, a wheel folder instead of an index."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.setup_copy import BACKEND, INTERPRETER, PYTHON, Checkout, make_wheel

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pip and nothing else."""
    folder = tmp_path_factory.mktemp("template") / "venv"
    subprocess.run([PYTHON, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture
def checkout(tmp_path: Path, template: Path) -> Checkout:
    """Both builds of torch can be found; the cpu lock allows the CPU build, the cuda lock the other."""
    root, wheels = tmp_path / "it's a %;projëct", tmp_path / "wheels"
    (root / "containers/locks").mkdir(parents=True)
    shutil.copy(ROOT / "containers/setup_venv.sh", root / "containers")
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "must"\nversion = "1"\n',
        encoding="utf-8",
    )
    (root / "backend.py").write_text(BACKEND, encoding="utf-8")
    checkout = Checkout(root, wheels, tmp_path / "programs")
    checkout.program("python3", INTERPRETER.format(template=template, python=PYTHON))
    checkout.lock("cuda", "torch", "1.0", make_wheel(wheels, "torch", "1.0"))
    checkout.lock("cpu", "torch", "1.0", make_wheel(wheels, "torch", "1.0+cpu"))
    checkout.lock("tools", "tool", "1.0", make_wheel(wheels, "tool", "1.0"))
    return checkout
