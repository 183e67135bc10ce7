"""`make setup` in a small copy of the project: its own tiny locks, a wheel folder instead of an index."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

PYTHON = os.path.realpath(sys.executable)


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
    """Write a package that holds nothing but its version; return the SHA-256 of its wheel."""
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
        process = self.start(**variables)
        output, errors = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def start(self, **variables: str) -> subprocess.Popen[str]:
        """Start the set-up script and go on."""
        env = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
        env |= {"PATH": f"{self.programs}:/usr/bin:/bin", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1"}
        env |= {"PIP_FIND_LINKS": str(self.index()), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        env |= {"PYTHON": str(self.programs / "python3")}
        command = ["bash", "containers/setup_venv.sh"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self.root, env=env | variables, text=True, **pipes)

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
        """Return the version of a package in the environment, or an empty string."""
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
