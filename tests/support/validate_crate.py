"""Validate an RO-Crate with roc-validator, without a network: ``validate_crate.py CONTEXTS CRATE``.

Run by the interpreter of an environment that has it; CONTEXTS is a JSON file, address of a JSON-LD context -> content.
"""

import json
import sys
import types
from pathlib import Path

from rocrate_validator import models, services
from rocrate_validator.utils import document_loader
from rocrate_validator.utils.http import HttpRequester

PROFILE = "workflow-run-crate-0.5"


def main(contexts_file: str, crate: str) -> int:
    contexts = json.loads(Path(contexts_file).read_text())

    def get(_self, url, *_, **__):
        content = contexts[url]
        return types.SimpleNamespace(
            status_code=200,
            json=lambda: content,
            text=json.dumps(content),
            headers={"Content-Type": "application/ld+json"},
            from_cache=True,
        )

    HttpRequester.get = get
    document_loader._fetch_json_ld = contexts.__getitem__
    settings = services.ValidationSettings(
        rocrate_uri=crate,
        profile_identifier=PROFILE,
        requirement_severity=models.Severity.REQUIRED,
        offline=True,
        abort_on_first=False,
    )
    issues = services.validate(settings).get_issues()
    for issue in issues:
        sys.stdout.write(f"{issue.check.identifier}: {issue.message}\n")
    sys.stdout.write(f"{PROFILE}: {len(issues) or 'no'} issue{'s' if len(issues) > 1 else ''}\n")
    return int(bool(issues))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
