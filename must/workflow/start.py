"""Start Snakemake, as `make reproduce` does: ``python -m must.workflow.start ARGUMENTS``.

Snakemake takes seconds to be imported; a Ctrl-C in that time is answered in one line here.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Run Snakemake with the arguments of this process; return its exit status."""
    try:
        from snakemake.cli import main as snakemake
    except KeyboardInterrupt:
        sys.stderr.write("must: stopped; nothing had been started\n")
        return 130
    snakemake()  # it ends the process itself
    return 0


if __name__ == "__main__":
    sys.exit(main())
