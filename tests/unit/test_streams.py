"""Output that nobody reads, that is closed, or that a full disk does not take; paths that cannot be used."""

import errno
import os
import shutil
import subprocess
import sys

import pytest

from must.streams import explain
from tests.support.helpers import ROOT
from tests.support.processes import must_command

PRINTING = "import sys; from must.streams import guarded; sys.exit(guarded(lambda: print('x' * 10**6) or 0))"
PRINTS = [sys.executable, "-c", PRINTING]
NOTHING = must_command("train", "--config", "nothing.yaml", "--out", "nothing")
TABLES = must_command("aggregate", "--config", ROOT / "config" / "quick.yaml", "--results")


def shell(command, redirection):
    """Run a command in a shell, with its redirection; give (exit status of the command, what it printed)."""
    script = f'"$@" {redirection}; echo "${{PIPESTATUS[0]}}" >&3'
    read, write = os.pipe()
    done = subprocess.Popen(
        ["bash", "-c", f"exec 3>&{write}; {script}", "bash", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=[write],
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
    )
    os.close(write)
    output = done.communicate(timeout=120)[0]
    with os.fdopen(read) as status:
        return int(status.read()), output


@pytest.mark.parametrize(
    ("command", "redirection", "status"),
    [
        (PRINTS, "| true", 141),
        (PRINTS, "| head -c 3 >/dev/null", 141),
        (PRINTS, ">&-", 0),
        (PRINTS, ">&- 2>&- <&-", 0),
        (NOTHING, "2>&-", 2),
        (NOTHING, "2>/dev/full", 2),
        (NOTHING, "2>&1 | true", 2),
    ],
    ids=str,
)
def test_output_that_goes_nowhere_ends_quietly(command, redirection, status):
    assert shell(command, redirection) == (status, "")


def test_a_full_disk_is_one_line(tmp_path):
    shutil.copytree(ROOT / "results" / "reference" / "quick", tmp_path / "quick")
    status, output = shell([*TABLES, tmp_path], ">/dev/full")
    assert status == 2
    assert output.startswith("must: output: no space left")
    assert len(output.splitlines()) == 1


def test_what_is_closed_does_not_lend_its_number_to_a_file():
    """Otherwise what a library prints as an error would land in a log of the run."""
    code = "import os; from must.streams import guarded as run; run(lambda: os.open(os.devnull, 0) > 2 or exit(9))"
    status, _ = shell([sys.executable, "-c", code], ">&- 2>&- <&-")
    assert status == 0


def test_a_directory_that_is_gone_is_one_line(tmp_path):
    (tmp_path / "gone").mkdir()
    status, output = shell(["bash", "-c", f'cd "{tmp_path}/gone"; rmdir ../gone; "$@"', "bash", *TABLES, "."], "")
    assert status == 2
    assert output == "must: the current directory: is not there; check the path\n"


def test_errors_of_the_system_name_the_path_and_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "circle").symlink_to("circle")
    for attempt in (
        lambda: (tmp_path / "file" / "x").mkdir(),
        lambda: (tmp_path / "link").mkdir(parents=True, exist_ok=True),
        lambda: (tmp_path / "circle").stat(),
        lambda: (tmp_path / "no").read_text(),
        lambda: tmp_path.read_text(),
        lambda: (tmp_path / ("n" * 300)).read_text(),
        lambda: (tmp_path / "file").rename(tmp_path / "no" / "file"),
    ):
        with pytest.raises(OSError) as caught:  # noqa: PT011 - of any kind
            attempt()
        text = explain(caught.value)
        assert str(tmp_path) in text
        assert len(text.splitlines()) == 1
    assert "link to nowhere" in explain(OSError(errno.EEXIST, "exists", str(tmp_path / "link")))
    assert "Exchange full" in explain(OSError(errno.EXFULL, "Exchange full", "x"))
