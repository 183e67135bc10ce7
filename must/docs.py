"""What is generated in documents.

The tables of ``config/README.md`` and the workflow's schema come from the configuration's models; the tables of results
in ``README.md`` and ``docs/experiments.md`` from those that ship.

Run ``make docs`` after a change to `must.config` or to the results that ship; tests hold the files equal to what is
generated.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from must.analysis.notes import ABOUT_TIMES
from must.config import Experiment
from must.sections import bounds_of, section_of

README = Path("config/README.md")
SHOWING_RESULTS = (Path("README.md"), Path("docs/experiments.md"))
SCHEMA = Path("workflow/schemas/experiment.schema.json")
BEGIN, END = "<!-- BEGIN: written by `make docs` -->", "<!-- END: written by `make docs` -->"
RESULTS = re.compile(r"(<!-- BEGIN: (results/reference/\S+\.md) -->\n).*?(<!-- END -->)", re.DOTALL)
"""Where a page shows a table that ships."""

_SIGNS = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true`, `false`"}
_TABLE_HEAD = ["| key | values | default | meaning |", "| --- | --- | --- | --- |"]


def main(root: Path = Path()) -> int:
    """Write what is generated below ``root``."""
    schema, readme = root / SCHEMA, root / README
    schema.write_text(render_schema(), encoding="utf-8")
    readme.write_text(insert_tables(readme.read_text(encoding="utf-8")), encoding="utf-8")
    for page in SHOWING_RESULTS:
        path = root / page
        path.write_text(insert_results(path.read_text(encoding="utf-8"), root), encoding="utf-8")
    return 0


def insert_results(text: str, root: Path) -> str:
    """Replace what stands between the markers of a table that ships.

    Its rows are shown, but for settings without a run, how it was made, and what its times do not tell.
    """

    def shown(marker: re.Match[str]) -> str:
        begin, path, end = marker.groups()
        lines = (root / path).read_text(encoding="utf-8").splitlines()
        rows = [line for line in lines if line.startswith("|") and "| 0 of " not in line]
        notes = [lines[-1], *(line for line in lines if line.startswith(ABOUT_TIMES))]
        return "\n".join([begin, *rows, "", f"<sub>{' '.join(notes)}</sub>", "", end])

    return RESULTS.sub(shown, text)


def render_schema() -> str:
    """Write the JSON schema of an experiment file.

    It accepts whatever `must.config` accepts. Checks that concern several keys are left to `must.config`, which
    explains them better.
    """
    schema = Experiment.model_json_schema()
    schema["required"] = ["env"]
    for field in Experiment.model_fields.values():
        if (section := section_of(field)) is not None:
            properties = schema["$defs"][section.__name__]["properties"]
            for key, inner in section.model_fields.items():
                _complete(properties[key], bounds_of(inner))
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(head | schema, indent=2, ensure_ascii=False) + "\n"


def insert_tables(text: str) -> str:
    """Replace what stands between the two markers in ``text`` with the tables of all keys.

    Raises:
        ValueError: A marker is missing.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{README} has lost a marker line: it needs {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{render_tables()}\n{END}{after}"


def render_tables() -> str:
    """Write one Markdown table for each section: key, values, default, meaning."""
    schema = json.loads(render_schema())
    parts, top = [], []
    for name, field in Experiment.model_fields.items():
        section = section_of(field)
        if section is None:
            top.append(_row(name, schema["properties"][name]))
        else:
            described = schema["$defs"][section.__name__]
            rows = [_row(key, entry) for key, entry in described["properties"].items()]
            parts.append("\n".join([f"### `{name}`", "", described["description"], "", *_TABLE_HEAD, *rows, ""]))
    return "\n".join(["### Top level", "", *_TABLE_HEAD, *top, "", *parts])


def _row(key: str, entry: dict[str, Any]) -> str:
    default = "" if entry["default"] is None else f"`{_yaml(entry['default'])}`"
    meaning = " ".join(entry["description"].split()).replace("|", r"\|")
    return f"| `{key}` | {_values(entry)} | {default} | {meaning} |"


def _values(entry: dict[str, Any]) -> str:
    """Describe which values a property of the JSON schema takes."""
    if "enum" in entry:
        return ", ".join(f"`{_yaml(value)}`" for value in entry["enum"])
    if "anyOf" in entry:
        # The first choice is what a person writes; the others are `null` and other spellings of it.
        return _values(entry["anyOf"][0])
    if entry["type"] == "array":
        return f"list of: {_values(entry['items'])}"
    if entry["type"] == "object":
        inner = entry["additionalProperties"]
        return f"name: {_values(inner)}" if inner["type"] in _TYPES else "named settings"
    limits = ", ".join(f"{sign} {entry[keyword]:g}" for keyword, sign in _SIGNS.items() if keyword in entry)
    return f"{_TYPES[entry['type']]} {limits}".rstrip()


def _yaml(value: Any) -> str:
    """Write a value as it is written in an experiment file."""
    return yaml.safe_dump(value, default_flow_style=True).removesuffix("\n").removesuffix("\n...")


def _complete(entry: dict[str, Any], bounds: dict[str, float]) -> None:
    """Add to a property (in place) the limits of real numbers, which the models' own schema leaves out."""
    for choice in [entry, *entry.get("anyOf", [])]:
        choice.pop("title", None)
        if choice.get("type") == "number":
            choice |= bounds
        if "items" in choice:
            _complete(choice["items"], bounds)


if __name__ == "__main__":
    raise SystemExit(main())
