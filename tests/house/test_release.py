"""A version is named once, and everywhere the same."""

from __future__ import annotations

import re

import yaml

import must
from tests.support.helpers import ROOT


def test_all_files_name_the_same_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    notes = re.findall(r"^## \[([\d.]+)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert notes[0] == (citation["version"], str(citation["date-released"])) == (must.__version__, notes[0][1])
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
