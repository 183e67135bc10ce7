"""The lock of a directory: with flock and without, of this machine's processes and of others'."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from must.errors import ConfigError, RunDirectoryError
from must.locks import LOCK, MARKER, WAIT_VARIABLE, Owner, locked
from tests.support.flock import strange_locks

HOLDER = """
import sys
from pathlib import Path
from must.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
NO_LOCKS = [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP]


def hold(directory: Path, **variables: str) -> subprocess.Popen[str]:
    """Start a process that holds the lock until it is told to end."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-c", HOLDER, str(directory)]
    process = subprocess.Popen(command, text=True, env=os.environ | variables, **pipes)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.fixture
def no_flock(monkeypatch):
    """Let flock fail in this process, as it does on Lustre without it."""

    def fail(*_arguments):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", fail)


@pytest.fixture
def elsewhere(monkeypatch):
    """Let the processes started from now on be those of another machine, by what they say of themselves."""

    def move(directory: Path, file: str = LOCK) -> None:
        owner = Owner.read(directory / file)
        assert owner is not None
        (directory / file).write_bytes(replace(owner, host="node-17").record)

    return move


def test_locks_as_nfs_has_them(tmp_path):
    process = hold(tmp_path, **strange_locks(tmp_path))
    with pytest.raises(RunDirectoryError, match=f"process {process.pid} on"), locked(tmp_path):
        pass
    _, errors = process.communicate()
    assert "cannot be locked" not in errors
    assert not (tmp_path / MARKER).exists()
    with locked(tmp_path):
        pass


@pytest.mark.parametrize("error", NO_LOCKS)
def test_without_flock_a_second_process_is_refused_all_the_same(tmp_path, no_flock, error):
    process = hold(tmp_path, **strange_locks(tmp_path, error))
    with pytest.raises(RunDirectoryError, match=f"process {process.pid} on"), locked(tmp_path):
        pass
    _, errors = process.communicate()
    assert errors.count("cannot be locked") == 1
    with locked(tmp_path):
        assert Owner.read(tmp_path / MARKER) == Owner.current()
    assert not (tmp_path / MARKER).exists()


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    process = hold(tmp_path)
    process.kill()
    process.wait()
    with locked(tmp_path):
        assert Owner.read(tmp_path / LOCK) == Owner.current()


@pytest.mark.parametrize("change", [{}, {"birth": "another-start-of-the-machine 1 2"}, {"pid": os.getpid()}])
def test_without_flock_the_lock_of_a_killed_process_is_cleared(tmp_path, no_flock, change):
    """By its number, though the machine was started since, or another process has that number now."""
    process = hold(tmp_path, **strange_locks(tmp_path, errno.ENOSYS))
    process.kill()
    process.wait()
    owner = Owner.read(tmp_path / MARKER)
    (tmp_path / MARKER).write_bytes(replace(owner, **change).record)
    with locked(tmp_path):
        assert Owner.read(tmp_path / MARKER) == Owner.current()
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix not in (".c", ".so")) == [LOCK]


def test_a_marker_of_a_machine_without_flock_is_respected_by_one_with(tmp_path):
    process = hold(tmp_path, **strange_locks(tmp_path, errno.ENOSYS))
    with pytest.raises(RunDirectoryError, match=f"process {process.pid} on"), locked(tmp_path):
        pass
    process.communicate()


def test_a_process_elsewhere_is_waited_for(tmp_path, caplog, elsewhere, monkeypatch):
    monkeypatch.setattr("must.locks.POLL_SECONDS", 0.05)
    process = hold(tmp_path)
    elsewhere(tmp_path)
    monkeypatch.setattr("must.locks.time.sleep", lambda _seconds: process.communicate() if not process.poll() else None)
    with caplog.at_level(logging.WARNING), locked(tmp_path):
        assert Owner.read(tmp_path / LOCK) == Owner.current()
    assert caplog.text.count(f"process {process.pid} on node-17") == 1


def test_a_process_elsewhere_is_not_waited_for_without_end(tmp_path, elsewhere, monkeypatch):
    process = hold(tmp_path)
    elsewhere(tmp_path)
    monkeypatch.setenv(WAIT_VARIABLE, "0.001")
    with pytest.raises(RunDirectoryError, match=f"on node-17.*{WAIT_VARIABLE}"), locked(tmp_path):
        pass
    process.communicate()


def test_without_flock_nobody_knows_whether_a_process_elsewhere_has_ended(tmp_path, no_flock, elsewhere, monkeypatch):
    process = hold(tmp_path, **strange_locks(tmp_path, errno.ENOLCK))
    elsewhere(tmp_path, MARKER)
    process.kill()
    process.wait()
    monkeypatch.setenv(WAIT_VARIABLE, "0")
    with pytest.raises(RunDirectoryError, match=f"on node-17.*delete {tmp_path / MARKER}"), locked(tmp_path):
        pass
    (tmp_path / MARKER).unlink()
    with locked(tmp_path):
        pass


def test_a_bound_that_is_no_number(tmp_path, monkeypatch):
    for text in ("soon", "-1", "nan", "inf"):
        monkeypatch.setenv(WAIT_VARIABLE, text)
        with pytest.raises(ConfigError, match=f"{WAIT_VARIABLE}={text}"), locked(tmp_path):
            pass


def test_a_file_that_names_nobody(tmp_path):
    for content in (b"", b"1\n", b"x\nhost\n\n", b"\xff\n1\n2\n", b"1\nhost\nbirth\nmore\n"):
        (tmp_path / LOCK).write_bytes(content)
        assert Owner.read(tmp_path / LOCK) is None
        with locked(tmp_path):
            pass


def test_a_marker_that_names_nobody_can_be_deleted(tmp_path, no_flock):
    (tmp_path / MARKER).touch()  # its process was killed before it had written
    with pytest.raises(RunDirectoryError, match=f"delete {tmp_path / MARKER}"), locked(tmp_path):
        pass
