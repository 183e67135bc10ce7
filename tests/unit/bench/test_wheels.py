"""A GPU machine has all that `benchmarks/gpu.sh` imports: in its own software, or in the wheels brought along."""

import json
import re
import subprocess
import sys
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.helpers import ROOT

THERE = ("torch", "numpy", "scipy", "pandas", "matplotlib")
OPTIONAL = {"setuptools", "charset-normalizer"}
"""Used where they are, by torch and NumPy, which do without."""
IMPORTS = """
import importlib, json, sys
before = set(sys.modules)
for name in ("cli", "train_commands", "training", "bench", "collect", "envs"):
    importlib.import_module("must." + name)
importlib.import_module("benchmarks.gpu")
for name in ("conftest", "test_against_the_cpu", "test_recorded_and_repeated"):
    importlib.import_module("tests.gpu." + name)
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def brought_along() -> set[str]:
    script = (ROOT / "benchmarks" / "collect_wheels.sh").read_text()
    listed = re.search(r'^packages="([^"]+)"', script, re.MULTILINE)
    assert listed is not None
    return {canonicalize_name(name) for name in listed[1].split()}


def needed_by(names: set[str]) -> set[str]:
    """Return what packages of these names require here, and what that requires."""
    found, left = set[str](), set(names)
    while left:
        name = left.pop()
        found.add(name)
        for text in metadata.requires(name) or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                left |= {canonicalize_name(requirement.name)} - found
    return found


def test_what_the_script_imports_is_there_or_brought_along():
    done = subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, capture_output=True, text=True, check=True)
    packages = metadata.packages_distributions()
    imported = {canonicalize_name(each) for name in json.loads(done.stdout) for each in packages.get(name, ())}
    assert {"metaworld", "safetensors", "pytest", "torch"} <= imported
    assert imported - {"must"} - needed_by(set(THERE)) - OPTIONAL <= brought_along()


def test_what_is_brought_along_needs_nothing_else():
    assert needed_by(brought_along()) <= brought_along() | needed_by(set(THERE))
