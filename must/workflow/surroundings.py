"""What is around the workflow: the shell that started it, and the image that its jobs run in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from must.errors import ConfigError

LEAKS = re.compile(r"((APPTAINER|SINGULARITY)ENV_)?(PYTHON.+|BASH_ENV|BASH_FUNC_.+|ENV|CDPATH|POSIXLY_CORRECT)")
"""Variables by which a user's shell says something to Python and to bash; in the image too."""


def job_environment(given: Mapping[str, str], here: Path) -> dict[str, str]:
    """Return the environment of jobs, from that of the shell that the workflow was started in.

    Jobs find `must` beside the Python that runs the workflow, whether or not its environment is activated; their
    caches lie in ``here``.
    """
    kept = {name: value for name, value in given.items() if not LEAKS.fullmatch(name)}
    return kept | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), given.get("PATH", os.defpath)]),
        "PYTHONNOUSERSITE": "1",
        "XDG_CACHE_HOME": str(here / ".cache"),
        "MPLCONFIGDIR": str(here / ".cache" / "matplotlib"),
    }


def fingerprint(checkout: Path, *what: str) -> str:
    """Return a hash of what the image depends on, or of the image; ``containers/fingerprint.sh`` says which there are.

    Raises:
        ConfigError: It cannot be computed.
    """
    script = str(checkout / "containers" / "fingerprint.sh")
    done = subprocess.run([script, *what], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigError(f"{script} {' '.join(what)}: {done.stderr.strip()}")
    return done.stdout.strip()


def check_image(image: Path, checkout: Path) -> None:
    """Check that an image is what the files beside it say, and holds the version of must that this checkout has.

    Raises:
        ConfigError: It is not; the message says how to build it anew.
    """
    rebuild = f"snakemake --profile workflow/profiles/local-apptainer --configfile ... --forcerun image -- {image}"
    for what, arguments in (("digest", ("content", str(image))), ("source", ("source",))):
        record = Path(f"{image}.{what}")
        if not record.exists() or record.read_text(encoding="utf-8").strip() != fingerprint(checkout, *arguments):
            raise ConfigError(
                f"{image}: holds another version of must than this checkout, or is not the image that {record} is "
                f"about. Build it anew (finished runs stay as they are):\n    {rebuild}"
            )
