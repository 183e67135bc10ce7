"""Write the hashed lock files in ``containers/locks/`` from ``pyproject.toml`` (``make lock``).

Three files of one resolution, so that a package has one version wherever it appears:

- ``cuda.txt``: what a training run needs, with the package index's own wheels of PyTorch. Those for Linux are CUDA
  builds, so all CUDA packages are listed too. Works on every platform.
- ``cpu.txt``: the same without the CUDA packages. Its PyTorch is the CPU build (version ``...+cpu``), which lies in a
  wheel directory (pip's find-links) or on PyTorch's own CPU wheel index; for macOS and Windows, the index's own wheel.
- ``tools.txt``: what the workflow and a developer need besides.

And ``docs.txt``, what the documentation site is built with in an environment of its own:
``make_locks.py docs`` writes it alone.

The resolver is uv. It does not read pip's settings, so pip is asked where the CPU build of PyTorch is: run this where
pip sees one (the variables PIP_FIND_LINKS and PIP_EXTRA_INDEX_URL tell it). No address is written to a lock.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.markers import Marker

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "containers" / "locks"
PYTHONS = ("3.11", "3.12", "3.13")
IMAGE = {"python_version": PYTHONS[0], "python_full_version": f"{PYTHONS[0]}.0"} | {
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
}
"""The image, for markers of requirements."""
SDIST_ONLY = ("connection-pool",)
"""Packages that publish no wheel; everything else is locked to wheels, so that set-up never compiles."""

HEADER = "# Written by `make lock` from pyproject.toml, for Python {first} to {last}; do not edit.\n# {purpose}\n"
PURPOSES = {
    "cuda": "What a training run needs, with the CUDA build of PyTorch where there is one.",
    "cpu": "What a training run needs, with the CPU build of PyTorch.\n"
    "# CPU builds for Linux (x86-64): Python {builds}.",
    "tools": "What the workflow and its developers need besides cpu.txt or cuda.txt.",
    "docs": "What the documentation site is built with, in an environment of its own.",
}

Packages = dict[str, dict[str, Any]]
"""Package name -> its entry in a pylock file (version, marker, wheels, sdist)."""


def main() -> int:
    """Resolve everything once, then write the locks."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    runtime, extras = project["dependencies"], project["optional-dependencies"]
    write("docs", (entry(name, package, hashes(package)) for name, package in resolve(extras["docs"]).items()))
    if sys.argv[1:] == ["docs"]:
        return 0

    everything = resolve([*runtime, *extras["workflow"], *extras["dev"]])
    versions = [f"{name}=={package['version']}" for name, package in everything.items()]
    cuda = resolve(runtime, versions)
    tools = {name: package for name, package in everything.items() if name not in cuda}

    cpu_wheels = find_cpu_wheels(cuda["torch"]["version"])
    needs = [need for need in cpu_wheels[0]["metadata"]["requires_dist"] if "extra ==" not in need]
    cpu = resolve([line for line in runtime if not re.match(r"torch\b", line)] + needs, versions)
    cpu_torch = {sha256(wheel["download_info"]["archive_info"]) for wheel in cpu_wheels}
    cpu_torch |= hashes(cuda["torch"], platforms=("macosx", "win"))

    wheels = image_wheels(cuda)
    (LOCKS / "image-wheels.list").write_text("\n".join(wheels) + "\n", encoding="utf-8")
    write("cuda", (entry(name, package, hashes(package)) for name, package in cuda.items()))
    write("tools", (entry(name, package, hashes(package)) for name, package in tools.items()))
    cpu_entries = (entry(name, package, hashes(package)) for name, package in cpu.items() if name != "torch")
    builds = ", ".join(sorted({python_of(wheel["download_info"]["url"]) for wheel in cpu_wheels}))
    write("cpu", [*cpu_entries, entry("torch", cuda["torch"], cpu_torch)], builds=builds)
    return 0


def image_wheels(packages: Packages) -> list[str]:
    """Give the file names of the wheels that the image, which has the first of `PYTHONS`, can take on Linux (x86-64).

    Raises:
        SystemExit: It can take none of a package that it needs.
    """
    script = ROOT / "containers" / "fill_wheelhouse.sh"
    offered = {*subprocess.run([script, "tags"], capture_output=True, text=True, check=True).stdout.split(), "any"}
    found, lacking = [], []
    for name, package in packages.items():
        wheels = [wheel["url"] for wheel in package.get("wheels", []) if usable(wheel["url"], ("",), PYTHONS[:1])]
        names = [url.rsplit("/", 1)[-1] for url in wheels]
        fitting = [name for name in names if offered & set(name.removesuffix(".whl").rsplit("-", 1)[1].split("."))]
        found += fitting
        if not fitting and Marker(package.get("marker", "python_version > '3'")).evaluate(IMAGE):
            lacking.append(name)
    if lacking:
        sys.exit(f"make_locks: {script} asks for no platform that {', '.join(lacking)} has wheels for")
    return sorted(found)


def resolve(requirements: Iterable[str], constraints: Iterable[str] = ()) -> Packages:
    """Ask uv for one version of every package, fit for all platforms and all of `PYTHONS`."""
    with tempfile.TemporaryDirectory() as scratch:
        lock = Path(scratch, "pylock.toml")
        wanted, limits = Path(scratch, "wanted.in"), Path(scratch, "limits.in")
        wanted.write_text("\n".join(requirements), encoding="utf-8")
        limits.write_text("\n".join(constraints), encoding="utf-8")
        command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-config", "--universal"]
        command += ["--python-version", PYTHONS[0], "--fork-strategy", "fewest", "--only-binary", ":all:"]
        for name in SDIST_ONLY:
            command += ["--no-binary", name]
        command += ["--constraints", str(limits), str(wanted), "--format", "pylock.toml", "--output-file", str(lock)]
        subprocess.run(command, check=True)
        packages = tomllib.loads(lock.read_text(encoding="utf-8"))["packages"]
    return {package["name"]: package for package in packages}


def find_cpu_wheels(version: str) -> list[dict[str, Any]]:
    """Ask pip for the CPU build of PyTorch for each Python: entries of pip's installation report.

    Raises:
        SystemExit: pip sees no CPU build at all.
    """
    found = []
    for python in PYTHONS:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--report", "-", "--no-deps"]
        command += ["--ignore-installed", "--target", "unused", "--only-binary", ":all:", "--python-version", python]
        command += ["--platform", "manylinux_2_28_x86_64", f"torch=={version}+cpu"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            found += json.loads(answer.stdout)["install"]
        else:
            sys.stderr.write(f"make_locks: pip sees no CPU build of torch {version} for Python {python}\n")
    if not found:
        sys.exit("make_locks: the cpu lock needs one: set PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL to where it is")
    return found


def hashes(package: dict[str, Any], platforms: tuple[str, ...] = ("",)) -> set[str]:
    """Give the hashes of the wheels that a supported Python can use, or of the sdist of a package without wheels.

    Args:
        package: An entry of a pylock file.
        platforms: Beginnings of the platform tags that count; all of them by default.
    """
    wheels = [wheel for wheel in package.get("wheels", []) if usable(wheel["url"], platforms)]
    return {sha256(file) for file in wheels or [package["sdist"]]}


def usable(url: str, platforms: tuple[str, ...], pythons: Iterable[str] = PYTHONS) -> bool:
    """Whether a wheel is for one of some Pythons and one of ``platforms``, by the tags in its file name."""
    python, abi, platform = url.rsplit("/", 1)[-1].removesuffix(".whl").split("-")[-3:]
    versions = {"cp" + version.replace(".", "") for version in pythons}
    fits_python = abi in {"none", "abi3", *versions} and (
        abi == "abi3" or any(tag.startswith("py") or tag in versions for tag in python.split("."))
    )
    return fits_python and platform.startswith(platforms)


def python_of(url: str) -> str:
    """Give the Python that a wheel with compiled parts is for, such as ``3.11``."""
    return re.sub(r"cp(\d)(\d+)", r"\1.\2", url.rsplit("-", 3)[1])


def sha256(file: dict[str, Any]) -> str:
    """Give the SHA-256 of a file of a pylock entry or of pip's report."""
    return str(file["hashes"]["sha256"])


def entry(name: str, package: dict[str, Any], allowed: set[str]) -> str:
    """Write one package as pip's requirement format has it."""
    marker = f" ; {package['marker']}" if "marker" in package else ""
    lines = [
        f"{name}=={package['version']}{marker}",
        *(f"    --hash=sha256:{digest}" for digest in sorted(allowed)),
    ]
    return " \\\n".join(lines)


def write(name: str, entries: Iterable[str], **details: str) -> None:
    """Write a lock file, sorted by package."""
    header = HEADER.format(purpose=PURPOSES[name].format(**details), first=PYTHONS[0], last=PYTHONS[-1])
    (LOCKS / f"{name}.txt").write_text(header + "\n".join(sorted(entries)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
