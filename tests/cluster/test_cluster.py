"""`snakemake --profile slurm` on a real Slurm with a real image, left alone and disturbed."""

from __future__ import annotations

import json
import os
import re
import subprocess
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.support.cluster import BUILT, ROOT, Checkout, job_script, run
from tests.support.scenarios import DISTURBANCES, ELSEWHERE, LONG, LONG_IN_SLICES

pytestmark = pytest.mark.cluster


def test_the_literal_command_builds_the_image_and_runs_the_whole_experiment(first: tuple[Checkout, str]) -> None:
    checkout, text = first
    assert "Building the cpu image" in text
    assert len(checkout.manifests()) == 4
    assert all(manifest["state"] == "finished" for manifest in checkout.manifests().values())
    for name in ("learning_curves.svg", "success_by_pruning_ratio.pdf", "mask_overlap.png"):
        assert (checkout.results / "figures" / name).stat().st_size > 1000


def test_every_run_and_every_table_names_the_image(first: tuple[Checkout, str]) -> None:
    checkout, _ = first
    assert re.fullmatch(r"[0-9a-f]{64}", checkout.digest)
    for manifest in checkout.manifests().values():
        assert manifest["container"]["digest"] == checkout.digest
        assert manifest["container"]["image"].endswith(".sif")
        assert manifest["git_commit"] == run("git", "-C", str(checkout.directory), "rev-parse", "HEAD").strip()
        assert manifest["git_dirty"] is False
    assert checkout.digest[:12] in checkout.tables["success_rate.md"].decode()
    assert checkout.digest[:12] in checkout.tables["success_rate.tex"].decode()


def test_the_logs_of_successful_jobs_are_kept(first: tuple[Checkout, str]) -> None:
    checkout, _ = first
    assert len(list((checkout.directory / "results/slurm_logs").rglob("*.log"))) == 4
    assert len(list((checkout.results / "logs/train").rglob("*.log"))) == 4


def test_the_image_explains_and_describes_itself(first: tuple[Checkout, str]) -> None:
    image = str(first[0].directory / BUILT / "must-cpu.sif")
    labels = run("apptainer", "inspect", "--labels", image)
    environment = Path(f"{image}.environment").read_text(encoding="utf-8").strip()
    commit = run("git", "-C", str(first[0].directory), "rev-parse", "HEAD").strip()
    assert f"must.environment: {environment}" in labels
    assert f"org.opencontainers.image.revision: {commit}" in labels
    assert "org.opencontainers.image.version: " in labels
    assert "apptainer run must.sif train" in run("apptainer", "run-help", image)
    assert "train" in run("apptainer", "run", image, "--help")
    run("apptainer", "test", image)


def test_nothing_is_left_to_do_and_touched_files_change_nothing(first: tuple[Checkout, str]) -> None:
    checkout, _ = first
    assert "Nothing to be done" in checkout.snakemake("--dry-run")
    built = [f"containers/build/must-cpu.sif{suffix}" for suffix in ("", ".digest", ".environment", ".source")]
    for name in ("README.md", "containers/must.def", "containers/locks/cpu.txt", *built):
        os.utime(checkout.directory / name)
    with (checkout.directory / "README.md").open("a", encoding="utf-8") as file:
        file.write("\nEdited.\n")
    assert "Nothing to be done" in checkout.snakemake("--dry-run")


def test_an_image_of_another_version_of_the_package_is_refused(first: tuple[Checkout, str]) -> None:
    checkout, _ = first
    path = checkout.directory / "must" / "__init__.py"
    before = path.read_bytes()
    path.write_bytes(before + b"# changed\n")
    (checkout.results / "tables" / "success_rate.csv").unlink()
    try:
        with pytest.raises(AssertionError, match="holds another version of must than this checkout"):
            checkout.snakemake()
        assert "Traceback" not in checkout.last_log
    finally:
        path.write_bytes(before)
    checkout.snakemake()


@pytest.mark.parametrize("name", ["containers/must.def", "containers/locks/cpu.txt"])
def test_a_changed_definition_or_lock_builds_and_trains_anew(first: tuple[Checkout, str], name: str) -> None:
    checkout, _ = first
    path = checkout.directory / name
    before = path.read_bytes()
    path.write_bytes(before + b"# changed\n")
    try:
        text = checkout.snakemake("--dry-run")
    finally:
        path.write_bytes(before)
    assert re.search(r"^image +1$", text, re.MULTILINE)
    assert re.search(r"^train +4$", text, re.MULTILINE)
    assert "Nothing to be done" in checkout.snakemake("--dry-run")


@pytest.mark.usefixtures("second_digest")
@pytest.mark.parametrize("name", [*DISTURBANCES, *ELSEWHERE])
def test_disturbed_experiments_end_with_the_same_tables(outcomes: dict[str, Future[Checkout]], name: str) -> None:
    long = name in DISTURBANCES and DISTURBANCES[name][0]["training"] == LONG["training"]
    reference = outcomes["long" if long else "short"].result()
    disturbed = outcomes[name].result()
    assert disturbed.tables == reference.tables
    assert any(manifest["resumed"] for manifest in disturbed.manifests().values()) or name == "beheaded"
    assert not any(manifest["resumed"] for manifest in reference.manifests().values())


@pytest.mark.parametrize("name", [*DISTURBANCES, *ELSEWHERE])
def test_no_finished_run_is_run_twice(outcomes: dict[str, Future[Checkout]], name: str) -> None:
    checkout = outcomes[name].result()
    for directory in checkout.run_dirs():
        log = (directory / "train.log").read_text(encoding="utf-8")
        assert log.count("finished: ") == 1, log
    assert not list((checkout.results / "runs").rglob("seed~?.*"))  # moved aside, because of other settings


def test_a_run_longer_than_its_walltime_took_several_jobs(outcomes: dict[str, Future[Checkout]]) -> None:
    assert LONG_IN_SLICES["resources"]["max_minutes"] == 1
    (manifest,) = outcomes["walltime"].result().manifests().values()
    assert len(manifest["resumed"]) >= 1


def test_runs_finished_before_the_head_was_started_again_were_left_alone(
    outcomes: dict[str, Future[Checkout]],
) -> None:
    checkout = outcomes["beheaded"].result()
    before = (checkout.directory / "finished-before").read_text(encoding="utf-8").split()
    assert before
    manifests = checkout.manifests()
    assert all(manifests[name]["resumed"] == [] for name in before)


def test_what_jobs_used_is_known_where_there_is_accounting(outcomes: dict[str, Future[Checkout]]) -> None:
    checkout = outcomes["node-lost-accounting"].result()
    (report,) = checkout.directory.glob("efficiency_report_*.csv")
    assert "train" in report.read_text(encoding="utf-8")


def test_gpus_and_walltime_reach_gridengine(tmp_path: Path) -> None:
    script = tmp_path / "job.sh"
    script.write_text(job_script("gpu:1"), encoding="utf-8")
    submit = ROOT / "workflow/profiles/gridengine/submit.sh"
    done = subprocess.run([submit, script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    job = done.stdout.strip()
    try:
        told = run("qstat", "-j", job)
    finally:
        run("qdel", job)
    asked = re.search(r"^hard resource_list: +(\S+)$", told, re.MULTILINE)
    assert asked is not None
    assert set(asked[1].split(",")) == {"mem_free=300M", "s_rt=240", "h_rt=300", "gpu=1"}
    assert re.search(r"^parallel environment: +smp range: 2$", told, re.MULTILINE)


def test_runs_that_share_a_job_have_their_own_logs(outcomes: dict[str, Future[Checkout]]) -> None:
    checkout = outcomes["cancelled-batch"].result()
    logs = sorted(path.name for path in (checkout.results / "logs/train").rglob("*.log"))
    assert logs == ["batch-0000-2.log", "seed~0.log", "seed~0.log"]
    assert len(list((checkout.results / "batches").glob("*.json"))) == 1


def test_the_host_is_refused_when_the_image_is_required(first: tuple[Checkout, str], tmp_path: Path) -> None:
    checkout, _ = first
    image = str(checkout.directory / BUILT / "must-cpu.sif")
    train = ["train", "--config", str(checkout.experiment), "--out", str(tmp_path / "run"), "--pruning-ratio", "0"]
    with pytest.raises(AssertionError, match=r"container\.required is true, and this is not inside the image"):
        run("must", *train)
    assert not (tmp_path / "run").exists()
    run("apptainer", "run", "--bind", f"{checkout.directory},{tmp_path}", image, *train)
    assert (tmp_path / "run" / "result.json").exists()
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["container"] == {"image": image, "digest": checkout.digest}


def test_two_builds_of_a_commit_have_the_same_content(first: tuple[Checkout, str], second_digest: Future[str]) -> None:
    assert second_digest.result() == first[0].digest
