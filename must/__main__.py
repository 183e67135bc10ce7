"""Where `must` and ``python -m must`` begin: an interrupt while modules are imported is no error to trace."""

from __future__ import annotations

import sys

from must.streams import complain


def main() -> int:
    """Run the command line; return its exit status, see `must.cli`."""
    try:
        from must.cli import main as run
    except KeyboardInterrupt:
        complain("stopped")
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
