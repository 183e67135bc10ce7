"""`make setup` in a small copy of the project: its own tiny locks, a wheel folder instead of an index."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = os.path.realpath(sys.executable)

UP_TO_DATE = "setup: .venv is up to date\n"

# Builds an editable wheel that holds nothing but its name, so that no build tool is needed.
BACKEND = """
import zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name, info = "must-1-py3-none-any.whl", "must-1.dist-info"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: must\\nVersion: 1\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""

# Making an environment takes seconds, most of them for unpacking pip: a copy of a ready one does as well.
INTERPRETER = """#!/bin/sh
case "$*" in
    "-m venv --clear "*) rm -rf "$4" && cp -a '{template}' "$4" ;;
    *) exec '{python}' "$@" ;;
esac
"""


def make_wheel(folder: Path, name: str, version: str) -> str:
    """Write a package that holds nothing but its version; give the SHA-256 of its wheel."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", f"__version__ = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass
class Checkout:
    """A copy of the set-up with three locks: torch alone (two builds of it), and one tool."""

    root: Path
    wheels: Path
    programs: Path

    def setup(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the set-up script as `make setup` does."""
        env = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
        env |= {"PATH": f"{self.programs}:/usr/bin:/bin", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1"}
        env |= {"PIP_FIND_LINKS": str(self.index()), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        env |= {"PYTHON": str(self.programs / "python3")}
        command = ["bash", "containers/setup_venv.sh"]
        return subprocess.run(command, cwd=self.root, env=env | variables, capture_output=True, text=True, check=False)

    def index(self) -> Path:
        """Write the page of a package index: like a real one, it tells the hash of each wheel."""
        page = self.wheels.with_suffix(".html")
        links = [
            f'<a href="{path.as_uri()}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}">{path.name}</a>'
            for path in self.wheels.glob("*.whl")
        ]
        page.write_text("<!DOCTYPE html><html><body>" + "\n".join(links) + "</body></html>", encoding="utf-8")
        return page

    def installed(self, package: str) -> str:
        """Give the version of a package in the environment, or an empty string."""
        code = f"import importlib.metadata as m; print(m.version({package!r}))"
        command = [self.root / ".venv/bin/python", "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    def program(self, name: str, script: str) -> Path:
        """Put a program onto the PATH of the set-up."""
        self.programs.mkdir(exist_ok=True)
        path = self.programs / name
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)
        return path

    def lock(self, name: str, package: str, version: str, *hashes: str) -> None:
        """Write a lock that holds one package."""
        lines = [f"{package}=={version}", *(f"    --hash=sha256:{digest}" for digest in hashes)]
        text = "# CPU builds for Linux (x86-64): Python 3.11.\n" + " \\\n".join(lines) + "\n"
        (self.root / "containers/locks" / f"{name}.txt").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pip and nothing else."""
    folder = tmp_path_factory.mktemp("template") / "venv"
    subprocess.run([PYTHON, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture
def checkout(tmp_path: Path, template: Path) -> Checkout:
    """Both builds of torch can be found; the cpu lock allows the CPU build, the cuda lock the other."""
    root, wheels = tmp_path / "a project", tmp_path / "wheels"
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
