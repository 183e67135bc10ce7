"""The description of an archive for machines: a Workflow Run RO-Crate of version 0.5."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping, Sequence
from typing import Any

from rocrate.model import ComputationalWorkflow, ContextEntity, Dataset, File
from rocrate.rocrate import ROCrate

import must
from must.data import Results, Run
from must.data.provenance import commits_of, containers_of
from must.export.archive import CHECKSUMS, Content
from must.export.card import LICENSE
from must.export.layout import DEFINITION, EXPERIMENT, MADE, POLICIES, README, RESULTS, WORKFLOW
from must.words import count_of

ROCRATE = "https://w3id.org/ro/crate/1.1"
WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    WORKFLOW_CRATE: "Workflow RO-Crate",
}
SOFTWARE = "#must"
_WORKFLOW = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
_RUN_TERMS = "https://w3id.org/ro/terms/workflow-run/context"
_SIF = "https://w3id.org/ro/terms/workflow-run#SIFImage"
_SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
_MEDIA = {
    ".yaml": "application/yaml",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".tex": "application/x-tex",
    ".safetensors": "application/octet-stream",
}
_UNKNOWN_DATE = "1970-01-01T00:00:00+00:00"


def metadata(results: Results, files: Mapping[str, Content]) -> bytes:
    """Describe an archive; the same runs and files give the same bytes.

    Args:
        results: Whose finished runs are in it.
        files: Name in the archive -> content, of all but what this gives and the checksums.
    """
    runs = results.finished
    experiment = results.experiment
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(_RUN_TERMS)
    root = crate.root_dataset
    times = sorted(str(run.manifest[key]) for run in runs for key in ("started", "ended") if run.manifest.get(key))
    root["name"] = f"{experiment.name}: logs, tables, figures and policies"
    root["description"] = (
        f"{count_of(len(runs), 'training run')} of multi-task reinforcement learning on Meta-World (of "
        f"{len(results.runs)} of the sweep), what was made of them, and what they were made with."
    )
    root["datePublished"] = times[-1] if times else _UNKNOWN_DATE
    root["license"] = _add(crate, f"https://spdx.org/licenses/{LICENSE}", "CreativeWork", name=f"{LICENSE} licence")
    if WORKFLOW in files:  # what is installed without it can describe files, and no execution
        root["conformsTo"] = [
            _add(crate, uri, "CreativeWork", name=name, version=uri.rpartition("/")[2])
            for uri, name in PROFILES.items()
        ]
    commits = (f"commit {name}{' with changes' if dirty else ''}" for name, dirty in commits_of(runs).items())
    software = _add(
        crate,
        SOFTWARE,
        "SoftwareApplication",
        name="must",
        softwareVersion=must.__version__,
        description=f"The runs were made with {'; '.join(commits)}; the archive was written with this version.",
    )
    crate.metadata["conformsTo"] = [_id(uri) for uri in (ROCRATE, WORKFLOW_CRATE)]
    inputs, outputs = _payload(crate, experiment.name, files)
    if WORKFLOW in files:
        root["mainEntity"] = _workflow(crate, software, inputs, outputs)
        _action(crate, runs, times, inputs, outputs)
    root.append_to("mentions", software)
    crate.dereference(README)["about"] = root
    graph: dict[str, Any] = crate.metadata.generate()
    return (json.dumps(graph, indent=2) + "\n").encode()


def _id(identifier: str) -> dict[str, str]:
    return {"@id": identifier}


def _add(crate: ROCrate, identifier: str, kind: str, /, **properties: Any) -> Any:
    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))


def _payload(crate: ROCrate, name: str, files: Mapping[str, Content]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Describe files and directories; return the inputs and the outputs of the workflow among them, by their words."""
    place, outputs = f"{RESULTS}/{name}", dict[str, Any]()
    experiment = _file(crate, EXPERIMENT, files, "The experiment: what was trained, how often, how it was judged.")
    for file in (README, CHECKSUMS, "LICENSE", "CITATION.cff", DEFINITION):
        if file in files or file == CHECKSUMS:
            _file(crate, file, files)
    made: dict[str, str] = {"runs": "settings, logs and provenance of each run", **MADE}
    for folder, words in made.items():
        outputs[folder] = _folder(crate, f"{place}/{folder}/", words, files)
    if any(file.startswith(f"{POLICIES}/") for file in files):
        outputs["policies"] = _folder(crate, f"{POLICIES}/", "trained policies, with a model card each", files)
    for file in sorted(files):
        if any(file.startswith(f"{place}/{folder}/") for folder in MADE) or file.endswith(".safetensors"):
            _file(crate, file, files)
    return {"experiment": experiment}, outputs


def _file(crate: ROCrate, name: str, files: Mapping[str, Content], description: str = "") -> Any:
    ending = name[name.rfind(".") :] if "." in name.rpartition("/")[2] else ""
    kind = _MEDIA.get(ending) or mimetypes.types_map.get(ending, "text/plain")
    properties = {"name": name.rpartition("/")[2], "encodingFormat": kind}
    if name in files:  # the checksums come last
        content = files[name]
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        properties["contentSize"] = str(size)
    if description:
        properties["description"] = description
    return crate.add(File(crate, dest_path=name, properties=properties))


def _folder(crate: ROCrate, name: str, words: str, files: Mapping[str, Content]) -> Any:
    count = sum(file.startswith(name) for file in files)
    description = f"{words[0].upper()}{words[1:]}: {count_of(count, 'file')}."
    return crate.add(Dataset(crate, dest_path=name, properties={"name": words, "description": description}))


def _one_or_all(entities: list[Any]) -> Any:
    """Return the only one of a list as it is: a list of one is not what the format recommends."""
    return entities[0] if len(entities) == 1 else entities


def _workflow(crate: ROCrate, software: Any, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Any:
    language = _add(
        crate,
        _SNAKEMAKE,
        "ComputerLanguage",
        name="Snakemake",
        url="https://snakemake.github.io",
        identifier=_SNAKEMAKE,
    )
    profile = _add(crate, _WORKFLOW, "CreativeWork", name="ComputationalWorkflow", version="1.0-RELEASE")
    parameters = _add(crate, _PARAMETER, "CreativeWork", name="FormalParameter", version="1.0-RELEASE")
    properties = {
        "name": "Train a sweep, aggregate its logs, draw figures",
        "conformsTo": profile,
        "programmingLanguage": language,
        "softwareRequirements": software,
        "version": must.__version__,
        "encodingFormat": "text/plain",
        "input": _one_or_all([_parameter(crate, name, entity, parameters) for name, entity in inputs.items()]),
        "output": [_parameter(crate, name, entity, parameters) for name, entity in outputs.items()],
    }
    return crate.add(ComputationalWorkflow(crate, dest_path=WORKFLOW, properties=properties))


def _parameter(crate: ROCrate, name: str, entity: Any, profile: Any) -> Any:
    parameter = _add(
        crate,
        f"#parameter-{name}",
        "FormalParameter",
        name=name,
        additionalType="Dataset" if isinstance(entity, Dataset) else "File",
        conformsTo=profile,
        workExample=entity,
    )
    entity["exampleOfWork"] = parameter
    return parameter


def _action(
    crate: ROCrate,
    runs: Sequence[Run],
    times: Sequence[str],
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
) -> None:
    """Describe the execution: from the start of the first run to the end of the last one, in these images."""
    images = [
        _add(
            crate,
            f"#image-{digest[:16]}",
            "ContainerImage",
            additionalType=_id(_SIF),
            name="must.sif",
            sha256=digest,
            description=f"The SHA-256 is that of the file system in the image, which {DEFINITION} defines.",
        )
        for digest in containers_of(runs)
        if digest not in ("none", "unknown")
    ]
    properties: dict[str, Any] = {
        "name": "The training of the sweep, and what was made of its logs",
        "description": f"{count_of(len(runs), 'run')}; manifest.json of each says when and where it was trained.",
    }
    properties |= {"startTime": times[0], "endTime": times[-1]} if times else {}
    properties |= {"containerImage": _one_or_all(images)} if images else {}
    action = _add(
        crate, "#execution", "CreateAction", actionStatus="http://schema.org/CompletedActionStatus", **properties
    )
    action["instrument"] = crate.dereference(WORKFLOW)
    action["object"], action["result"] = _one_or_all(list(inputs.values())), list(outputs.values())
    crate.root_dataset.append_to("mentions", action)
