"""What jobs inherit from the shell that the workflow was started in."""

import os
import sys
from pathlib import Path

import pytest

from must.errors import ConfigError
from must.workflow.head import check_place
from must.workflow.surroundings import job_environment


def test_jobs_inherit_nothing_that_speaks_to_python_or_bash() -> None:
    leaks = ("PYTHONPATH", "APPTAINERENV_PYTHONPATH", "SINGULARITYENV_BASH_ENV", "BASH_FUNC_must%%", "CDPATH", "ENV")
    found = job_environment(dict.fromkeys(leaks, "x") | {"PATH": "/usr/bin", "ENVIRONMENT": "kept"}, Path("/here"))
    assert found.pop("PATH").split(os.pathsep) == [str(Path(sys.executable).parent), "/usr/bin"]
    assert found == {
        "ENVIRONMENT": "kept",
        "PYTHONNOUSERSITE": "1",
        "XDG_CACHE_HOME": "/here/.cache",
        "MPLCONFIGDIR": "/here/.cache/matplotlib",
    }


@pytest.mark.parametrize(
    ("here", "files", "in_image", "on_cluster"),
    [
        ("/a:b", [], True, False),
        ("/it's", [], True, False),
        ("/a b", [], False, True),
        ("/a", ["my file.yaml"], False, True),
    ],
)
def test_places_that_snakemake_does_not_quote(here: str, files: list[str], in_image: bool, on_cluster: bool) -> None:
    with pytest.raises(ConfigError, match="cannot start jobs"):
        check_place(here, files, in_image, on_cluster)
    check_place(here, files, in_image=False, on_cluster=False)
    check_place("/plain/path-1.2", ["file.yaml"], in_image=True, on_cluster=True)
