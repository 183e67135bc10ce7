"""`make setup` on other file systems than this one, below other paths, and in shells that bring something along."""

from __future__ import annotations

import errno
import fcntl
import shutil
from pathlib import Path

import pytest

from tests.support.flock import strange_locks
from tests.support.setup_copy import Checkout

NO_PYTHON = {"PYTHON": "/nowhere/python"}
"""Ends the set-up, with status 2, right after it has its lock."""


def test_locks_as_nfs_has_them(checkout: Checkout) -> None:
    done = checkout.setup(**NO_PYTHON, **strange_locks(checkout.programs))
    assert done.returncode == 2
    assert "warning" not in done.stderr


@pytest.mark.parametrize("error", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_no_locks_are_warned_of_once_and_the_set_up_goes_on(checkout: Checkout, error: int) -> None:
    done = checkout.setup(**NO_PYTHON, **strange_locks(checkout.programs, error))
    assert done.returncode == 2
    assert done.stderr.count("setup: warning: ") == 1
    assert "none of these is Python" in done.stderr


def test_a_second_set_up_waits_for_the_first(checkout: Checkout) -> None:
    with (checkout.root / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = checkout.start(**NO_PYTHON)
        assert waiting.stdout is not None
        assert "waiting for another make" in waiting.stdout.readline()
        assert waiting.poll() is None
    assert waiting.wait(60) == 2


def test_what_the_shell_and_other_pythons_bring_along_changes_nothing(checkout: Checkout, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(checkout.root / "containers", other / "containers")
    (other / "pip").mkdir()
    (other / "pip" / "__init__.py").write_text("raise SystemExit('the wrong pip')", encoding="utf-8")
    (other / "start-up").write_text("cd() { builtin cd '/'; }; export -f cd\n", encoding="utf-8")
    done = checkout.setup(
        CDPATH=str(other),
        BASH_ENV=str(other / "start-up"),
        SHELLOPTS="braceexpand:hashall:interactive-comments:noclobber:noglob:posix",
        POSIXLY_CORRECT="1",
        PYTHONPATH=str(other),
        PYTHONHOME=str(other),
        PIP_TARGET=str(other / "target"),
        PIP_REQUIRE_HASHES="1",
        **{"BASH_FUNC_pip%%": "() { echo the wrong pip; exit 1; }", "BASH_FUNC_die%%": "() { :; }"},
    )
    assert done.returncode == 0, done.stderr
    assert [checkout.installed(name) for name in ("torch", "tool", "must")] == ["1.0+cpu", "1.0", "1"]
    assert not (other / ".venv").exists()
    assert not (other / "target").exists()


@pytest.mark.parametrize("name", ["it's a $dir", 'a "b"', "a:b", "a `b`", "a\nb"])
def test_a_path_below_which_no_program_starts_is_refused_at_once(checkout: Checkout, name: str) -> None:
    checkout.root = checkout.root.rename(checkout.root.with_name(name))
    done = checkout.setup()
    assert done.returncode == 2
    assert "move the checkout" in done.stderr
    assert not (checkout.root / ".venv").exists()
