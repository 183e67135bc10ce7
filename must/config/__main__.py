"""``python -m must.config FILE``: check an experiment, and print its name (for the Makefile)."""

from __future__ import annotations

import sys
from pathlib import Path

from must.config.load import load_sweep
from must.errors import ConfigError


def main(path: str) -> int:
    """Check the experiment in a file; return the exit status: 0, or 2 with a line that says what is wrong."""
    try:
        sys.stdout.write(f"{load_sweep(Path(path)).name}\n")
    except ConfigError as error:
        sys.stderr.write(f"must: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
