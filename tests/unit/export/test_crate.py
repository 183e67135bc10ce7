"""The description for machines: what the profile Workflow Run RO-Crate 0.5 requires, and its validator."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import pytest
import rocrate
from rocrate.rocrate import ROCrate

from must.data import load_results
from must.export import crate as module

TERMS = "https://w3id.org/ro/terms/workflow-run"
BIOSCHEMAS = "https://bioschemas.org/"


@pytest.fixture
def unpacked(made, tmp_path):
    with zipfile.ZipFile(made.archive) as archive:
        archive.extractall(tmp_path / "crate")
    return tmp_path / "crate"


def ids(value):
    return [each["@id"] for each in (value if isinstance(value, list) else [value])]


@pytest.fixture
def graph(unpacked):
    content = json.loads((unpacked / "ro-crate-metadata.json").read_text())
    assert content["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    return {entity["@id"]: entity for entity in content["@graph"]}


def test_it_meets_what_the_profile_requires(graph, unpacked):
    root, workflow = graph["./"], graph["pipeline/workflow/Snakefile"]
    for profile in ("https://w3id.org/ro/wfrun/process/0.5", "https://w3id.org/ro/wfrun/workflow/0.5"):
        assert profile in ids(root["conformsTo"])
        assert graph[profile]["@type"] == "CreativeWork"
    assert {"name", "description", "datePublished", "license"} <= root.keys()
    assert ids(root["mainEntity"]) == [workflow["@id"]]
    assert set(workflow["@type"]) == {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    assert graph[workflow["programmingLanguage"]["@id"]]["@type"] == "ComputerLanguage"
    for parameter in [graph[name] for name in ids(workflow["input"]) + ids(workflow["output"])]:
        assert parameter["@type"] == "FormalParameter"
        assert parameter["additionalType"] in ("File", "Dataset")
        example = graph[parameter["workExample"]["@id"]]
        assert ids(example["exampleOfWork"]) == [parameter["@id"]]
    (action,) = (graph[name] for name in ids(root["mentions"]) if graph[name]["@type"] == "CreateAction")
    assert ids(action["instrument"]) == [workflow["@id"]]
    assert ids(action["object"]) == ["experiment.yaml"]
    assert "policies/" in ids(action["result"])
    parts = [name for name, entity in graph.items() if {"File", "Dataset"} & {*_types(entity)} and name != "./"]
    for name in parts:
        assert name in ids(root["hasPart"])
        assert (unpacked / name).exists()
        if "contentSize" in graph[name]:
            assert int(graph[name]["contentSize"]) == (unpacked / name).stat().st_size
    for entity in graph.values():  # every reference leads somewhere
        for value in entity.values():
            for target in value if isinstance(value, list) else [value]:
                if isinstance(target, dict) and not target["@id"].startswith(("https://w3id.org/ro/crate/", TERMS)):
                    assert target["@id"] in graph


def _types(entity):
    return entity["@type"] if isinstance(entity["@type"], list) else [entity["@type"]]


def test_the_library_reads_it(unpacked):
    found = ROCrate(unpacked)
    assert found.mainEntity.id == "pipeline/workflow/Snakefile"


def test_images_times_and_commits_come_from_the_manifests(runs):
    experiment = runs.experiment()
    for number, spec in enumerate(experiment.runs()):
        time = f"2026-01-0{number + 1}T00:00:00+00:00"
        image = {"image": "/must.sif", "digest": f"{number % 2}" * 64}
        runs.write(experiment, spec, container=image, started=time, ended=time.replace("T00", "T09"))
    files = dict.fromkeys(("experiment.yaml", "README.md", "pipeline/workflow/Snakefile"), b"")
    content = json.loads(module.metadata(load_results(experiment, runs.results), files))
    graph = {entity["@id"]: entity for entity in content["@graph"]}
    action = graph["#execution"]
    assert (action["startTime"], action["endTime"]) == ("2026-01-01T00:00:00+00:00", "2026-01-04T09:00:00+00:00")
    assert graph["./"]["datePublished"] == action["endTime"]
    assert [graph[name]["sha256"] for name in ids(action["containerImage"])] == ["0" * 64, "1" * 64]
    assert "0123456789abcdef" in graph["#must"]["description"]


@pytest.mark.system
def test_the_profiles_validator_accepts_it(unpacked, tmp_path, root):
    validator = root / "build" / "crate" / "bin" / "python"  # it needs other versions of packages than must
    assert validator.exists(), "python3 -m venv build/crate && build/crate/bin/pip install roc-validator"
    # What it would take from the internet: the terms. Those of RO-Crate come with the library, in a newer version.
    terms = json.loads((Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld").read_text())["@context"]
    terms |= {name: f"{BIOSCHEMAS}{name}" for name in ("ComputationalWorkflow", "FormalParameter")}
    terms |= {name: f"{BIOSCHEMAS}ComputationalWorkflow#{name}" for name in ("input", "output")}
    run_terms = {name: f"{TERMS}#{name}" for name in ("ContainerImage", "containerImage", "sha256")}
    contexts = {
        "https://w3id.org/ro/crate/1.1/context": {"@context": terms},
        f"{TERMS}/context": {"@context": run_terms},
    }
    (tmp_path / "contexts.json").write_text(json.dumps(contexts))
    script = root / "tests" / "support" / "validate_crate.py"
    command = [validator, script, tmp_path / "contexts.json", unpacked]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("workflow-run-crate-0.5: no issue\n")
