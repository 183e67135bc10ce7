"""An image is not begun where there is no room for it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.helpers import ROOT

DF = "#!/bin/sh\necho 'Filesystem 1024-blocks Used Available Capacity Mounted'\necho 'disk 9 9 {free} 9% /'\n"
APPTAINER = "#!/bin/sh\nexit 9\n"


@pytest.mark.parametrize(("flavour", "free_gb", "enough"), [("cpu", 3, False), ("cuda", 8, False), ("cpu", 8, True)])
def test_temporary_space_is_looked_at_first(tmp_path: Path, flavour: str, free_gb: int, enough: bool) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, script in (
        ("df", DF.format(free=free_gb * 10**9 // 1024 + 1)),
        ("apptainer", APPTAINER),
        ("python3", APPTAINER),
    ):
        (programs / name).write_text(script, encoding="utf-8")
        (programs / name).chmod(0o755)
    (tmp_path / "wheels").mkdir()
    command = [ROOT / "containers/build_image.sh", flavour, "docker", tmp_path / "wheels", tmp_path / "must.sif"]
    variables = {"PATH": f"{programs}:{os.environ['PATH']}", "APPTAINER_TMPDIR": str(tmp_path / "temporary")}
    variables["APPTAINER_CACHEDIR"] = str(tmp_path / "cache")
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)
    assert not (tmp_path / "must.sif").exists()
    if enough:
        assert done.returncode == 9, done.stderr
    else:
        assert done.returncode == 2
        assert f"{free_gb} GB" in done.stderr
        assert "set APPTAINER_TMPDIR" in done.stderr
