"""`must doctor` on this machine, on broken ones, and on ones that have more than this."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from must.doctor import checks, cluster, machine, software
from must.doctor.check import Check

Usage = namedtuple("Usage", ["total", "used", "free"])


def by_name(results: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in results}


def run_doctor(cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "must.cli", "doctor"]
    env = {**os.environ, "COLUMNS": "250", **variables}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def put_program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing but what a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture(autouse=True)
def _drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether this machine draws takes seconds to find out: that is tried by programs of their own only."""
    monkeypatch.setattr("must.render.find_backend", lambda: "egl")


def test_a_wrong_choice_of_opengl_concerns_films_only(tmp_path: Path) -> None:
    done = run_doctor(tmp_path, MUJOCO_GL="nonsense")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "problem" not in done.stdout
    (row,) = [row for row in done.stdout.splitlines() if "│ OpenGL" in row]
    assert "│ optional" in row
    assert "MUJOCO_GL=nonsense" in row
    assert "unset it" in row


def test_this_machine_can_train(tmp_path: Path) -> None:
    done = run_doctor(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MuJoCo steps Meta-World" in done.stdout
    assert "problem" not in done.stdout


@pytest.mark.parametrize(
    ("package", "also"), [("torch", {"torch", "GPU"}), ("metaworld", {"metaworld", "simulator"}), ("packaging", set())]
)
def test_broken_package_is_a_problem_and_not_a_crash(tmp_path: Path, package: str, also: set[str]) -> None:
    broken = tmp_path / "broken" / package
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise OSError('lib[x].so: cannot open')", encoding="utf-8")
    done = run_doctor(tmp_path, PYTHONPATH=str(broken.parent))
    assert done.returncode == 2, done.stdout + done.stderr
    rows = [row for row in done.stdout.splitlines() if "│ problem" in row]
    assert also | {package} <= {row.split("│")[1].strip() for row in rows}
    assert all("OSError: lib[x].so: cannot open" in row and "make setup" in row for row in rows)
    assert "Traceback" not in done.stdout + done.stderr


def test_other_version_than_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    locked = {"torch": "2.13.0", "metaworld": "3.0.0", "snakemake": "9.0.0"}
    monkeypatch.setattr(software, "locked_versions", lambda: locked)
    results = by_name(checks())
    assert results["torch"].state == "ok"  # 2.13.0+cpu is a build of 2.13.0
    assert results["metaworld"].state == "problem"
    assert "3.0.0 is locked" in results["metaworld"].found
    assert results["Snakemake"].state == "optional"


def test_locked_versions(tmp_path: Path) -> None:
    assert software.locked_versions()["mujoco"] == "3.3.0"
    assert software.locked_versions(tmp_path) == {}


def test_machine_without_programs(path: Path) -> None:
    results = by_name(checks())
    names = ("GPU", "Apptainer", "Slurm", "Gridengine")
    assert {name: results[name].state for name in names} == dict.fromkeys(names, "optional")
    assert all(results[name].mend for name in names)


def test_cluster_node(path: Path) -> None:
    put_program(path, "apptainer", "echo apptainer version 1.4.5")
    put_program(path, "sbatch", "echo slurm 23.11.4")
    put_program(path, "sinfo", "echo gpu; echo cpu; echo gpu")
    results = by_name(checks())
    assert results["Apptainer"] == Check("Apptainer", "ok", "apptainer version 1.4.5")
    assert results["Slurm"] == Check("Slurm", "ok", "slurm 23.11.4, partitions: gpu, cpu")


def test_slurm_controller_is_down(path: Path) -> None:
    put_program(path, "sbatch", "echo slurm 23.11.4")
    put_program(path, "sinfo", "echo 'Unable to contact slurm controller' >&2; exit 1")
    slurm = by_name(checks())["Slurm"]
    assert slurm.state == "optional"
    assert "no partition" in slurm.found


@pytest.mark.parametrize(
    ("script", "cuda", "found", "mend"),
    [
        ("exit 9", None, "driver does not answer", "mend the NVIDIA driver"),
        ("echo 'GPU 0: V100'", None, "CPU build", "make setup FLAVOUR=cuda"),
        ("echo 'GPU 0: V100'", "13.0", "cannot use it", "CUDA 13.0"),
    ],
)
def test_why_there_is_no_gpu(
    path: Path, monkeypatch: pytest.MonkeyPatch, script: str, cuda: str | None, found: str, mend: str
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    put_program(path, "nvidia-smi", script)
    gpu = by_name(checks())["GPU"]
    assert gpu.state == "optional"
    assert found in gpu.found
    assert mend in gpu.mend


@pytest.mark.parametrize(("free_gib", "state"), [(0.5, "problem"), (5, "optional"), (50, "ok")])
def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_gib: float, state: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, free_gib * 2**30))
    disk = by_name(checks(tmp_path / "not" / "yet" / "there"))["disk"]
    assert (disk.state, disk.found) == (state, f"{free_gib:.1f} GiB free at {tmp_path}")


def test_results_that_cannot_be_written_are_a_problem(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "file").write_text("", encoding="utf-8")
    for name, words in (("link", "a link to nowhere"), ("file", "is a file")):
        disk = machine.disk(tmp_path / name)
        assert disk.state == "problem"
        assert words in disk.found


def test_unsupported_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "PYTHONS", ((3, 8), (3, 9)))
    python = by_name(checks())["Python"]
    assert python.state == "problem"
    assert "make setup PYTHON=/path/to/python3.8" in python.mend


def test_packages_that_are_not_as_locked_are_named(tmp_path: Path) -> None:
    (tmp_path / "scipy").mkdir()
    (tmp_path / "scipy" / "__init__.py").touch()
    done = run_doctor(tmp_path, PYTHONPATH=str(tmp_path))
    (row,) = [row for row in done.stdout.splitlines() if row.startswith("│ packages")]
    assert f"scipy {software.locked_versions()['scipy']} is locked" in row
    assert "unset PYTHONPATH" in row


@pytest.mark.parametrize(("free_gb", "wanted"), [(2, ["cpu", "cuda"]), (10, ["cuda"]), (12, [])])
def test_temporary_space_for_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_gb: float, wanted: list[str]
) -> None:
    monkeypatch.setenv("APPTAINER_TMPDIR", str(tmp_path / "not" / "yet"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, free_gb * 10**9))
    space = by_name(checks())["image space"]
    assert space.found == f"{free_gb:.1f} GB free at {tmp_path}"
    assert (space.state == "ok") is (not wanted)
    assert [flavour for flavour in cluster.IMAGE_SPACE if f"the {flavour} image" in space.mend] == wanted


def test_a_home_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/no-home/.cache")
    monkeypatch.setattr(os, "access", lambda path, _mode: not str(path).startswith("/proc"))  # root may write anywhere
    caches = by_name(checks())["caches"]
    assert caches.state == "optional"
    assert "XDG_CACHE_HOME" in caches.mend


def test_a_submit_host_of_gridengine(path: Path) -> None:
    put_program(path, "qsub", "true")
    put_program(path, "qstat", "echo SGE 8.1.9; echo 'usage: qstat [options]'")
    put_program(path, "qconf", "echo mpi; echo smp")
    found = by_name(checks())["Gridengine"]
    assert found == Check("Gridengine", "ok", "SGE 8.1.9, parallel environments: mpi, smp")


def test_a_qsub_that_is_not_gridengines(path: Path) -> None:
    put_program(path, "qsub", "true")
    assert by_name(checks())["Gridengine"].state == "optional"
