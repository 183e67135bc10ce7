"""`make setup`: what it makes, when it makes that anew, and what it takes PyTorch from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.setup_copy import Checkout, make_wheel

UP_TO_DATE = "setup: .venv is up to date\n"


def snapshot(folder: Path) -> dict[Path, int]:
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_life_of_an_environment(checkout: Checkout) -> None:
    done = checkout.setup()
    assert done.returncode == 0, done.stderr
    assert [checkout.installed(name) for name in ("torch", "tool", "must")] == ["1.0+cpu", "1.0", "1"]
    left_over = checkout.root / ".venv/left-over"
    left_over.touch()

    before = snapshot(checkout.root)
    assert checkout.setup().stdout == UP_TO_DATE
    assert snapshot(checkout.root) == before

    # Another pyproject.toml: the project alone is installed anew.
    with (checkout.root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("[tool.other]\n")
    assert "setup: installing must itself" in checkout.setup().stdout
    assert left_over.exists()
    assert checkout.setup().stdout == UP_TO_DATE

    # Another lock, in another place: everything is, and nothing of the old environment stays.
    checkout.lock("tools", "tool", "2.0", make_wheel(checkout.wheels, "tool", "2.0"))
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    assert checkout.setup().returncode == 0
    assert checkout.installed("tool") == "2.0"
    assert not left_over.exists()
    assert checkout.setup().stdout == UP_TO_DATE


def test_wheel_that_the_lock_does_not_allow_is_refused(checkout: Checkout) -> None:
    checkout.lock("tools", "tool", "1.0", "0" * 64)
    done = checkout.setup()
    assert done.returncode != 0
    assert "HASHES" in done.stderr
    assert checkout.installed("tool") == ""
    assert not (checkout.root / ".venv/.setup.packages").exists()


def test_falls_back_to_cuda_build_and_says_so(checkout: Checkout) -> None:
    (checkout.wheels / "torch-1.0+cpu-py3-none-any.whl").unlink()
    done = checkout.setup()
    assert done.returncode == 0, done.stderr
    assert checkout.installed("torch") == "1.0"
    for text in ("no CPU build of PyTorch", "PIP_EXTRA_INDEX_URL", "Python 3.11", "Installing the CUDA build"):
        assert text in done.stderr
    assert checkout.setup().stdout == UP_TO_DATE


def test_asked_for_cpu_build_that_is_not_there(checkout: Checkout) -> None:
    (checkout.wheels / "torch-1.0+cpu-py3-none-any.whl").unlink()
    done = checkout.setup(FLAVOUR="cpu")
    assert done.returncode == 2
    assert "FLAVOUR=cuda works without it" in done.stderr
    assert checkout.installed("torch") == ""


def test_nothing_is_found(checkout: Checkout) -> None:
    shutil.rmtree(checkout.wheels)
    done = checkout.setup()
    assert done.returncode == 2
    assert "is the package index reachable?" in done.stderr


def test_driver_decides_the_build_unless_the_user_does(checkout: Checkout) -> None:
    checkout.program("nvidia-smi", "#!/bin/sh\necho 'GPU 0'\n")
    assert checkout.setup().returncode == 0
    assert checkout.installed("torch") == "1.0"
    assert checkout.setup(FLAVOUR="cpu").returncode == 0
    assert checkout.installed("torch") == "1.0+cpu"
    # Without a wish, what is there stays.
    assert checkout.setup().stdout == UP_TO_DATE


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"FLAVOUR": "gpu"}, "write FLAVOUR=cpu or FLAVOUR=cuda"),
        ({"PYTHON": "/nowhere/python"}, "none of these is Python 3.11 to 3.13: /nowhere/python"),
    ],
)
def test_wrong_options(checkout: Checkout, variables: dict[str, str], message: str) -> None:
    done = checkout.setup(**variables)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (checkout.root / ".venv").exists()


@pytest.mark.parametrize(
    ("python", "message"),
    [
        ('case "$2" in *version_info*) echo 3.9;; esac', "none of these is Python 3.11 to 3.13"),
        ('case "$2" in *version_info*) echo 3.12;; *) exit 1;; esac', "apt-get install python3.12-venv"),
    ],
    ids=["too old", "without venv"],
)
def test_python_that_cannot_be_used(checkout: Checkout, python: str, message: str) -> None:
    program = checkout.program("old-python", f"#!/bin/sh\n{python}\n")
    done = checkout.setup(PYTHON=str(program))
    assert done.returncode == 2
    assert message in done.stderr
    assert not (checkout.root / ".venv").exists()


def test_the_size_is_said_before_anything_is_downloaded(checkout: Checkout) -> None:
    shutil.rmtree(checkout.wheels)
    make_wheel(checkout.wheels, "torch", "1.0")
    checkout.lock("cuda", "torch", "1.0", "0" * 64)  # so that the download is refused
    done = checkout.setup()
    assert done.returncode != 0
    assert "3 GB to download" in done.stderr.split("HASHES")[0]
