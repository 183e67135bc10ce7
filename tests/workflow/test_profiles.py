"""Every profile that ships: it is planned, and what it hands to its scheduler is what was asked for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from must.sweep.profile import read_profile
from must.workflow.queues import queued_jobs
from tests.support.cluster import job_script
from tests.support.helpers import ROOT
from tests.support.workflow import Workflow

PROFILES = sorted(path.name for path in (ROOT / "workflow" / "profiles").iterdir())


@pytest.mark.parametrize("name", ["alliance", "gridengine", "kubernetes"])
def test_the_profile_is_planned(
    workflow: Workflow, smoke: dict[str, Any], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "bin" / "apptainer", "echo apptainer version 1.4.5")  # where the machine has none of its own
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{tmp_path / 'bin'}")
    profile = ROOT / "workflow" / "profiles" / name
    smoke["resources"]["gpus"] = 1
    plan = workflow.plan(smoke, "--profile", str(profile))
    assert plan.jobs["train"] == 4
    known = read_profile(str(profile))
    assert known.in_image == bool(plan.jobs["image"]) == (name != "kubernetes")
    assert not known.local


@pytest.mark.parametrize("name", PROFILES)
def test_the_profile_says_whether_it_was_run(name: str) -> None:
    """One that the tests run for real is in `.ci/run`'s clusters; another one says so itself."""
    ran = {"local", "local-apptainer", "slurm", "gridengine"}
    text = (ROOT / "workflow" / "profiles" / name / "config.v9+.yaml").read_text(encoding="utf-8")
    assert ("has not been run" in " ".join(text.replace("#", "").split())) == (name not in ran)


def test_a_pod_of_kubernetes_asks_for_what_the_job_does(tmp_path: Path) -> None:
    """kubectl, which this machine lacks, is replaced by what keeps the pod."""
    put(tmp_path / "bin" / "kubectl", 'cat >"$POD"; echo job.batch/must-abcde')
    script = tmp_path / "checkout" / "snakejob.train.1.sh"
    script.parent.mkdir()
    script.write_text(job_script("gpu:2"), encoding="utf-8")
    pod = tmp_path / "pod.yaml"
    variables = {"MUST_POD_IMAGE": "registry/must:1", "MUST_POD_VOLUME": "work", "MUST_POD_MOUNT": str(tmp_path)}
    done = submit("kubernetes", script, POD=str(pod), **variables)
    assert (done.returncode, done.stdout) == (0, "job.batch/must-abcde\n"), done.stderr
    spec = yaml.safe_load(pod.read_text(encoding="utf-8"))["spec"]["template"]["spec"]
    assert spec["activeDeadlineSeconds"] == 300
    (container,) = spec["containers"]
    assert container["image"] == "registry/must:1"
    assert container["workingDir"] == str(script.parent)
    assert container["resources"]["requests"] == {"cpu": 2, "memory": "300M"}
    assert container["resources"]["limits"] == {"memory": "300M", "nvidia.com/gpu": 2}
    assert container["volumeMounts"] == [{"name": "work", "mountPath": str(tmp_path)}]
    assert Path(container["command"][1]).read_text(encoding="utf-8") == script.read_text(encoding="utf-8")

    elsewhere = submit("kubernetes", script, POD=str(pod), **variables | {"MUST_POD_MOUNT": "/work"})
    assert elsewhere.returncode == 1
    assert f"{script.parent} is not below /work" in elsewhere.stderr


@pytest.mark.parametrize(
    ("answer", "state"),
    [("x::", "running"), ("x:1:", "success"), ("x::1", "failed"), ("", "failed"), (None, "running")],
)
def test_how_a_job_of_kubernetes_stands(tmp_path: Path, answer: str | None, state: str) -> None:
    put(tmp_path / "bin" / "kubectl", "exit 1" if answer is None else f"echo '{answer}'")
    assert status("kubernetes", tmp_path) == state


@pytest.mark.parametrize(
    ("queue", "ended", "state"),
    [
        ("echo ' 7 0.5 snakejob u  r  d t 1'", "exit 1", "running"),
        ("echo ' 7 0.5 snakejob u  Rq d t 1'", "exit 1", "running"),
        ("echo ' 7 0.5 snakejob u  Eqw d t 1'", "exit 1", "failed"),
        ("exit 1", "exit 1", "running"),
        ("true", "echo 'failed 0'; echo 'exit_status 0'", "success"),
        ("true", "echo 'failed 0'; echo 'exit_status 1'", "failed"),
        ("true", "echo 'failed 100 : assumedly after job'; echo 'exit_status 137'", "failed"),
        ("true", "echo 'failed 25 : rescheduling'; echo 'exit_status 0'", "running"),
        ("true", "echo failed 25; echo exit_status 0; echo failed 0; echo exit_status 0", "success"),
    ],
)
def test_how_a_job_of_gridengine_stands(tmp_path: Path, queue: str, ended: str, state: str) -> None:
    """The answers are those of Gridengine 8.1.9; the tests of the cluster ask the real one."""
    for program, text in {"qstat": queue, "qacct": ended, "qdel": "true"}.items():
        put(tmp_path / "bin" / program, text)
    assert status("gridengine", tmp_path) == state


def test_a_cluster_without_its_programs_has_no_jobs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (
        queued_jobs("slurm", "/here") == queued_jobs("cluster-generic", "/here") == queued_jobs("other", "/here") == []
    )


def put(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def submit(profile: str, script: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / "workflow" / "profiles" / profile / "submit.sh"), str(script)]
    path = f"{script.parent.parent / 'bin'}:{os.environ['PATH']}"
    env = os.environ | {"PATH": path} | variables
    return subprocess.run(command, cwd=script.parent, env=env, capture_output=True, text=True, check=False)


def status(profile: str, place: Path) -> str:
    env = os.environ | {"PATH": f"{place / 'bin'}:{os.environ['PATH']}"}
    command = [str(ROOT / "workflow" / "profiles" / profile / "status.sh"), "7"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.strip()
