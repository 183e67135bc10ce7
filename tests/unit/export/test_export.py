"""What an archive holds, that it is the same every time, and that its policies are used like those of runs."""

import hashlib
import json
import zipfile

import numpy as np
import pytest
import yaml

from must import cli
from must.errors import ConfigError, ResultsError
from must.evaluation import load_policy
from must.export.pack import export
from must.export.verify import verify

RUN = "pruning_ratio~0.5/update_interval~10/seed~0"


def contents(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_holds_everything_and_every_checksum_fits(made):
    files = contents(made.archive)
    place = "results/fake"
    for name in ("README.md", "LICENSE", "CITATION.cff", "ro-crate-metadata.json", "pipeline/containers/must.def"):
        assert name in files
    assert files["experiment.yaml"] == made.config.read_bytes()
    for name in ("config.yaml", "manifest.json", "result.json", "eval.csv", "train.csv", "masks.csv", "timing.csv"):
        assert files[f"{place}/runs/{RUN}/{name}"] == (made.results / "fake" / "runs" / RUN / name).read_bytes()
    assert f"{place}/figures/learning_curves.svg" in files
    assert f"{place}/tables/success_rate.tex" in files
    assert f"{place}/data/runs.csv" in files
    assert not [name for name in files if name.endswith((".pt", ".log"))]
    sums = dict(reversed(line.split("  ")) for line in files.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def test_the_same_input_gives_the_same_bytes(made, tmp_path, no_figures):
    again = export(made.config, made.results, tmp_path / "again.zip")
    assert again.path.read_bytes() == made.archive.read_bytes()
    assert str(again).endswith(f"4 of 4 runs, policies of 2, {len(contents(again.path))} files")


def test_runs_that_are_not_finished_stay_out(made, tmp_path, no_figures, unfinished):
    import shutil

    results = tmp_path / "results"
    shutil.copytree(made.results, results)
    unfinished(results / "fake" / "runs" / RUN, "running")
    found = export(made.config, results, tmp_path / "part.zip")
    assert (found.runs, found.planned, found.policies) == (3, 4, 1)
    assert not [name for name in contents(found.path) if RUN in name]
    assert verify(found.path).same


def test_without_weights_there_are_no_policies_and_that_is_said(made, tmp_path, no_figures, capsys):
    import shutil

    results = tmp_path / "results"
    shutil.copytree(made.results, results)
    for path in results.rglob("final.pt"):
        path.unlink()
    out = tmp_path / "logs.zip"
    assert cli.main(["export", "--config", str(made.config), "--results", str(results), "--out", str(out)]) == 0
    assert "no policies" in capsys.readouterr().out
    files = contents(out)
    assert not [name for name in files if name.startswith("policies/")]
    assert "no policies" in files["README.md"].decode()


@pytest.mark.parametrize("place", ["", "/milestones/0.5"])
def test_a_policy_of_an_archive_acts_as_that_of_its_run(made, tmp_path, place):
    with zipfile.ZipFile(made.archive) as archive:
        archive.extractall(tmp_path)
    config, shared = load_policy(tmp_path / "policies" / RUN / place.lstrip("/"))
    _, own = load_policy(made.results / "fake" / "runs" / RUN)
    assert config.env.task_names == ("reach-v3", "door-open-v3")
    rng = np.random.default_rng(0)
    observations, noise = rng.normal(size=(2, 39)).astype(np.float32), rng.normal(size=(2, 4)).astype(np.float32)
    assert np.array_equal(shared.act(observations, None), own.act(observations, None))
    assert np.array_equal(shared.act(observations, noise), own.act(observations, noise))


def test_must_evaluates_a_policy_of_an_archive(made, tmp_path, capsys):
    with zipfile.ZipFile(made.archive) as archive:
        archive.extractall(tmp_path)
    assert cli.main(["evaluate", str(tmp_path / "policies" / RUN), "--episodes", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["success"].keys() == {"reach-v3", "door-open-v3"}


def test_model_cards_are_those_of_the_hub(made):
    files = contents(made.archive)
    card = files[f"policies/{RUN}/README.md"].decode()
    _, head, text = card.split("---\n", 2)
    data = yaml.safe_load(head)
    assert (data["license"], data["library_name"], data["pipeline_tag"]) == ("mit", "must", "reinforcement-learning")
    (model,) = data["model-index"]
    assert [result["dataset"]["name"] for result in model["results"]] == [
        "Meta-World reach-v3", "Meta-World door-open-v3",
    ]  # fmt: skip
    for result in model["results"]:
        assert result["task"]["type"] == "reinforcement-learning"
        (metric,) = result["metrics"]
        assert 0 <= metric["value"] <= 1
    assert "milestones/0.5" in text
    settings = json.loads(files[f"policies/{RUN}/config.json"])
    assert settings["tasks"] == ["reach-v3", "door-open-v3"]
    assert settings["masks"]["pruning_ratio"] == 0.5


def test_a_damaged_policy_is_not_exported(made, tmp_path, no_figures):
    import shutil

    results = tmp_path / "results"
    shutil.copytree(made.results, results)
    final = results / "fake" / "runs" / RUN / "final.pt"
    final.write_bytes(final.read_bytes()[:100])
    with pytest.raises(ResultsError, match=r"final\.pt: is damaged"):
        export(made.config, results, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


@pytest.mark.parametrize("name", ["a.tar.gz", "no/such/folder/a.zip", "."])
def test_a_place_that_is_none_is_told_before_the_work(made, tmp_path, name):
    with pytest.raises(ConfigError, match="--out"):
        export(made.config, made.results, tmp_path / name)


def test_without_a_finished_run_there_is_nothing_to_export(made, tmp_path):
    with pytest.raises(ResultsError, match="no finished run"):
        export(made.config, tmp_path)


@pytest.mark.slow
def test_the_shipped_results_are_exported_and_verified(tmp_path, root):
    found = export(root / "config" / "quick.yaml", root / "results" / "reference", tmp_path / "quick.zip")
    assert (found.runs, found.policies) == (10, 0)
    names = contents(found.path)
    assert sum(name.startswith("results/quick/figures/") for name in names) > 10
    for name in ("success_rate.md", "cost.csv"):  # the tables that the repository shows
        shown = (root / "results" / "reference" / "quick" / "tables" / name).read_bytes()
        assert names[f"results/quick/tables/{name}"] == shown
    assert verify(found.path).same
