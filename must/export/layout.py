"""Where what lies in an archive."""

from __future__ import annotations

EXPERIMENT = "experiment.yaml"
"""The experiment file, as its author wrote it."""
README = "README.md"
METADATA = "ro-crate-metadata.json"
RESULTS = "results"
"""``results/<name>/`` is laid out as that of a checkout."""
MADE = {"data": "tidy data", "tables": "tables", "figures": "figures"}
"""Directories below ``results/<name>/`` that are made of the logs -> what is in them."""
POLICIES = "policies"
PIPELINE = "pipeline"
WORKFLOW = f"{PIPELINE}/workflow/Snakefile"
DEFINITION = f"{PIPELINE}/containers/must.def"
