"""The captions of tables and figures: the paper and the report of `make report` have the same."""

from __future__ import annotations

import re
from pathlib import Path

from must.config import Experiment

_CAPTIONS = Path(__file__).with_name("captions")
_SETTING = re.compile(r'\{\{ snakemake\.params\.settings\["(\w+)"\] \}\}')
"""How Snakemake's report fills in a setting of the section `report`."""


def caption(name: str, experiment: Experiment) -> str:
    """Return the caption of a table or a figure, in one line of plain text."""
    text = (_CAPTIONS / f"{name}.rst").read_text(encoding="utf-8")
    settings = experiment.report.model_dump(mode="json")
    return " ".join(_SETTING.sub(lambda found: f"{settings[found[1]]:.10g}", text).split())


def title(name: str) -> str:
    """Return the name of a table or a figure in words."""
    return name.replace("_", " ").capitalize().replace("cpu", "CPU").replace("flops", "FLOPs")
