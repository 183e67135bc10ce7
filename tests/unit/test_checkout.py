"""A commit is named only if it is that of the code that runs: real repositories, real git."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from must.checkout import git_state

IDENTITY = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "protocol.file.allow=always"]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in [name for name in os.environ if name.startswith(("GIT_", "MUST_GIT_"))]:
        monkeypatch.delenv(name)


def git(directory: Path, *arguments: str) -> str:
    command = ["git", "-C", str(directory), *IDENTITY, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def make_files(directory: Path) -> Path:
    (directory / "must").mkdir(parents=True)
    (directory / "must" / "__init__.py").write_text("")
    return directory


def make_repository(directory: Path) -> Path:
    make_files(directory)
    git(directory, "init", "--quiet")
    git(directory, "add", "must")
    git(directory, "commit", "--quiet", "--message", "First")
    return directory


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "checkout")


def test_a_checkout_names_its_commit_and_whether_it_was_changed(checkout):
    commit = git(checkout, "rev-parse", "HEAD")
    assert git_state(checkout) == {"git_commit": commit, "git_dirty": False, "git_problem": None}
    (checkout / "must" / "new.py").write_text("")
    assert git_state(checkout) == {"git_commit": commit, "git_dirty": True, "git_problem": None}


def test_a_path_through_a_link_is_the_same_checkout(checkout, tmp_path):
    (tmp_path / "link").symlink_to(checkout)
    assert git_state(tmp_path / "link")["git_commit"] == git(checkout, "rev-parse", "HEAD")


def test_files_inside_of_another_repository_have_no_commit(checkout):
    state = git_state(make_files(checkout / "unpacked"))
    assert (state["git_commit"], state["git_dirty"]) == (None, None)
    assert "another repository" in state["git_problem"]


def test_a_repository_that_does_not_hold_the_package_is_none_of_it(tmp_path):
    directory = make_files(tmp_path / "home")
    git(directory, "init", "--quiet")
    (directory / ".gitignore").write_text("must\n")
    git(directory, "add", ".gitignore")
    git(directory, "commit", "--quiet", "--message", "Mine")
    assert git_state(directory)["git_commit"] is None


@pytest.mark.parametrize(
    "name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"]
)
def test_variables_of_git_do_not_count(checkout, tmp_path, monkeypatch, name):
    other = make_repository(tmp_path / "other")
    (other / "must" / "__init__.py").write_text("changed")
    expected = git_state(checkout)
    target = {"GIT_DIR": other / ".git", "GIT_INDEX_FILE": other / ".git" / "index"}.get(name, other)
    monkeypatch.setenv(name, str(target))
    assert git_state(checkout) == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a checkout away")
def test_a_checkout_of_somebody_else_names_its_commit(checkout):
    commit = git(checkout, "rev-parse", "HEAD")
    for path in [checkout, *checkout.rglob("*")]:
        os.chown(path, 12345, 12345)
    refused = subprocess.run(["git", "-C", str(checkout), "status"], capture_output=True, text=True)
    assert "dubious ownership" in refused.stderr
    assert git_state(checkout) == {"git_commit": commit, "git_dirty": False, "git_problem": None}


def test_work_trees_shallow_clones_and_submodules_name_their_commit(checkout, tmp_path):
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", "Second")
    commit = git(checkout, "rev-parse", "HEAD")
    git(checkout, "worktree", "add", "--quiet", str(tmp_path / "tree"))
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{checkout}", "shallow")
    outer = make_repository(tmp_path / "outer")
    git(outer, "submodule", "--quiet", "add", f"file://{checkout}", "sub")
    for place in (tmp_path / "tree", tmp_path / "shallow", outer / "sub"):
        assert git_state(place) == {"git_commit": commit, "git_dirty": False, "git_problem": None}, place


def test_it_says_why_there_is_no_commit(tmp_path, monkeypatch):
    directory = make_files(tmp_path / "plain")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", "/")  # dropped like the others
    assert git_state(directory)["git_problem"]
    empty = make_files(tmp_path / "empty")
    git(empty, "init", "--quiet")
    assert git_state(empty)["git_problem"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git cannot be run" in git_state(directory)["git_problem"]


def test_a_damaged_repository_has_no_commit(checkout):
    shutil.rmtree(checkout / ".git" / "objects")
    state = git_state(checkout)
    assert state["git_commit"] is None
    assert state["git_problem"]
