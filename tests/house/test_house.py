"""Rules of the house that a machine can check: layering, no secrets, no stray addresses, small files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.support.helpers import ROOT, tracked_names

BIN = Path(sys.executable).parent
ALLOWED_HOSTS = {
    "bioschemas.org",
    "json-schema.org",
    "schema.org",
    "snakemake.github.io",
    "spdx.org",
    "w3id.org",
    "arxiv.org",
    "github.com",
    "keepachangelog.com",
    "semver.org",
    "www.w3.org",
}
SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\b(AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[baprs]-[\w-]{10,}|hf_[A-Za-z0-9]{30,}|pypi-[\w-]{50,})"
    r"|(?i:(api[_-]?key|secret|token|passw(or)?d)\w*['\"]?\]?\s*[:=]\s*['\"]?[A-Za-z0-9_\-]{16,})"
)
MADE_UP = "0123456789abcdef"
"""A key in a test holds this; a real one does not."""
LONGEST_FILE = 300


def tracked() -> dict[str, str]:
    """Return the text files that git keeps: path -> content."""
    texts = {}
    for name in tracked_names():
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            try:
                texts[name] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # pictures
    return texts


def test_imports_run_one_way() -> None:
    done = subprocess.run([BIN / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


def test_no_secrets() -> None:
    found = [(name, match[0]) for name, text in tracked().items() for match in SECRETS.finditer(text)]
    assert [(name, match) for name, match in found if MADE_UP not in match] == []


def test_secrets_would_be_found() -> None:
    key = MADE_UP * 2
    assert SECRETS.search(f'os.environ["WANDB_API_KEY"] = "{key}"')
    assert SECRETS.search(f"WANDB_API_KEY={key}")
    assert SECRETS.search(f'api_key: "{key}"')
    assert SECRETS.search("-----BEGIN OPENSSH " + "PRIVATE KEY-----")


def test_addresses_name_no_registry_or_mirror() -> None:
    found = {
        (name, host)
        for name, text in tracked().items()
        for host in re.findall(r"\w+://(?:[^@/\s]*@)?([\w.-]+\.[a-z]{2,})", text)
        if host not in ALLOWED_HOSTS
    }
    assert found == set()


def test_code_files_are_small_rooms() -> None:
    code = {name: text for name, text in tracked().items() if name.endswith((".py", ".smk", ".sh"))}
    long = {name: n for name, text in code.items() if (n := len(text.splitlines())) > LONGEST_FILE}
    assert long == {}


def test_committed_scripts_are_executable() -> None:
    listed = subprocess.run(["git", "ls-files", "-s"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    modes = {line.split("\t")[1]: line.split()[0] for line in listed.splitlines()}
    scripts = [name for name, text in tracked().items() if text.startswith("#!")]
    assert ".ci/run" in scripts
    assert [name for name in scripts if modes[name] != "100755"] == []
