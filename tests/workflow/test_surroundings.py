"""What is around the workflow and none of its business: odd paths and names, a user's Python, shell and home."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.helpers import ROOT
from tests.support.workflow import Workflow

ODD = 'it\'s a %;dïr, "b" & c'
NO_HOME = {
    "HOME": "/proc/no-home",
    "XDG_CACHE_HOME": "/proc/no-home/.cache",
    "MPLCONFIGDIR": "/proc/no-home/matplotlib",
}


@pytest.fixture
def hostile(tmp_path: Path) -> dict[str, str]:
    """Return variables under which Python and bash fail, if they are let through to a job."""
    place = tmp_path / "hostile"
    place.mkdir()
    leak = "import sys\nif any(word.endswith('must') for word in sys.orig_argv): sys.exit('PYTHONPATH is there')\n"
    (place / "sitecustomize.py").write_text(leak, encoding="utf-8")
    (place / "start-up").write_text("exit 3\n", encoding="utf-8")
    shell = {"BASH_ENV": str(place / "start-up"), "CDPATH": "/", "BASH_FUNC_must%%": "() { exit 4; }"}
    return {"PYTHONPATH": str(place), "PYTHONOPTIMIZE": "2", **shell}


def test_jobs_below_an_odd_path_of_a_user_who_brings_things_along(
    finished: Workflow, smoke: dict[str, Any], tmp_path: Path, hostile: dict[str, str]
) -> None:
    place = tmp_path / ODD
    shutil.copytree(finished.directory, place)
    shutil.rmtree(place / "results/smoke/tables")
    (place / ".venv").symlink_to(sys.prefix)
    (place / "it's.yaml").write_text(yaml.safe_dump(smoke), encoding="utf-8")
    command = [place / ".venv/bin/python", "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "1"]
    command += ["--configfile", "it's.yaml", "--", "results/smoke/tables/success_rate.csv"]
    done = subprocess.run(command, cwd=place, env=os.environ | hostile, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    tables = [directory / "results/smoke/tables/success_rate.csv" for directory in (place, finished.directory)]
    assert tables[0].read_bytes() == tables[1].read_bytes()


def test_a_rule_of_the_host_that_fails_is_tried_once(workflow: Workflow, smoke: dict[str, Any], tmp_path: Path) -> None:
    place = tmp_path / ODD
    place.mkdir()
    (place / ".venv").symlink_to(sys.prefix)
    (place / "config.yaml").write_text(yaml.safe_dump(smoke), encoding="utf-8")
    command = [place / ".venv/bin/python", "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "1"]
    command += ["--retries", "3", "--configfile", "config.yaml", "--", "containers/build/wheelhouse-cpu"]
    no_index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    done = subprocess.run(command, cwd=place, env=os.environ | no_index, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == 1
    assert output.count("Error in rule wheelhouse") == 1, output
    log = (place / "containers/build/logs/wheelhouse-cpu.log").read_text(encoding="utf-8")
    assert "No matching distribution found" in log


@pytest.mark.parametrize("target", ["reproduce", "figures"])
def test_make_takes_what_it_is_given_as_it_is_and_leaves_home_and_other_pythons_alone(
    smoke: dict[str, Any], tmp_path: Path, hostile: dict[str, str], target: str
) -> None:
    smoke["training"] = {"epoch": 3}
    config = tmp_path / f"{ODD} $HOME `touch x`.yaml"
    config.write_text(yaml.safe_dump(smoke), encoding="utf-8")
    command = ["make", "--no-print-directory", target, f"CONFIG={config}", f"RESULTS={tmp_path / ODD}"]
    env = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL")}
    env |= {**hostile, **NO_HOME, "PYTHONHOME": "/proc/no-python"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "did you mean 'epochs'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "options", [["--executor", "slurm", "--jobs", "1"], ["--software-deployment-method", "apptainer"]]
)
def test_paths_that_snakemake_does_not_quote_are_refused(
    smoke: dict[str, Any], tmp_path: Path, options: list[str]
) -> None:
    """With a stand-in for Apptainer, which tells its version: nothing else of it, or of Slurm, is asked for."""
    apptainer = tmp_path / "apptainer"
    apptainer.write_text("#!/bin/sh\necho apptainer version 1.4.5\n", encoding="utf-8")
    apptainer.chmod(0o755)
    place = tmp_path / ODD
    place.mkdir()
    (place / "config.yaml").write_text(yaml.safe_dump(smoke), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "1", *options]
    command += ["--configfile", "config.yaml"]
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"{place}: Snakemake cannot start jobs" in done.stderr
    assert not (place / "results").exists()
