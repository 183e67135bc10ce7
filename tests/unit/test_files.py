"""Files that are written as a whole: an error names the path that was asked for, and never the file beside it."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import BinaryIO

import pytest

from must.cli import main
from must.files import write_atomically
from must.streams import explain
from tests.support.sweep_runs import MadeUpSweep


def why(path: Path) -> str:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - of any kind
        write_atomically(path, lambda file: file.write(b"x"))
    return explain(caught.value)


def test_a_place_that_cannot_be_written_is_named_as_it_was_typed(tmp_path: Path) -> None:
    assert why(Path("/proc/q.zip")).startswith("/proc/q.zip: operation not permitted; choose a path")
    assert why(tmp_path / "no" / "q.zip") == f"{tmp_path}/no: is not there; check the path"
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert why(tmp_path / "file" / "q.zip").startswith(f"{tmp_path}/file/q.zip: a part of the path is a file")
    (tmp_path / "folder.zip").mkdir()
    assert why(tmp_path / "folder.zip") == f"{tmp_path}/folder.zip: is a directory; give a file"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.zip"]


def test_what_goes_wrong_with_another_file_is_told_of_that_file(tmp_path: Path) -> None:
    def copy(_: BinaryIO) -> None:
        raise FileNotFoundError(errno.ENOENT, "gone", "source")

    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(tmp_path / "x", copy)
    assert caught.value.filename == "source"
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = MadeUpSweep(tmp_path / "results")
    assert main(["status", str(sweep.directory), "--html", "/proc/s.html"]) == 2
    assert capsys.readouterr().err.startswith("must: /proc/s.html: operation not permitted;")
