"""Packages that are not the ones that are locked."""

import os
import subprocess
import sys
from importlib import metadata

import pytest

from must import versions


@pytest.fixture
def before(tmp_path, monkeypatch):
    """A folder that PYTHONPATH would put before the environment's own."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def test_the_packages_of_this_environment_are_locked():
    assert versions.other_packages() == []
    assert versions.warning() == ""


def test_another_version_than_locked():
    found = metadata.version("numpy")
    assert versions.other_packages({"numpy": "0.1", "pyyaml": metadata.version("pyyaml"), "not-installed": "1"}) == [
        f"numpy 0.1 is locked, {found} found"
    ]


def test_a_package_that_comes_before_on_the_path(before):
    info = before / "scipy-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: scipy\nVersion: 0.1\n")
    assert [words.partition(" ")[0] for words in versions.other_packages()] == ["scipy"]
    assert "0.1 found" in versions.warning()


@pytest.mark.parametrize(("package", "module"), [("mpmath", "mpmath"), ("pyopengl", "OpenGL")])
def test_a_folder_of_the_same_name_that_tells_no_version(before, monkeypatch, package, module):
    monkeypatch.delitem(sys.modules, module, raising=False)  # another test may have imported the right one
    (before / module).mkdir()
    (before / module / "__init__.py").touch()
    (words,) = versions.other_packages()
    assert words.startswith(package)
    assert str(before / module) in words


def test_a_package_that_cannot_be_imported_is_one_line(before):
    (before / "numpy").mkdir()
    (before / "numpy" / "__init__.py").write_text("raise ImportError('no _core of this Python')")
    (before / "config.yaml").write_text("env: {tasks: [reach-v3]}")
    command = [sys.executable, "-m", "must.cli", "train", "--config", before / "config.yaml", "--out", before / "run"]
    env = os.environ | {"PYTHONPATH": str(before)}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no _core of this Python" in done.stderr
    assert str(before / "numpy") in done.stderr
