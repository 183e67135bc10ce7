"""The options of ``must export`` and ``must verify``; what the commands do is imported when one is given."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add_archive_commands(commands: Any) -> None:
    """Add both commands to the subparsers of ``must``."""
    archive = commands.add_parser("export", help="write one archive of an experiment", description=_export.__doc__)
    archive.add_argument("--config", required=True, type=Path, help="experiment file")
    archive.add_argument("--results", type=Path, default=Path("results"), help="where results lie (default: results)")
    archive.add_argument("--out", type=Path, help="archive to write (default: RESULTS/NAME/NAME.zip)")
    archive.set_defaults(command=_export)

    check = commands.add_parser("verify", help="check the tables of an archive", description=_verify.__doc__)
    check.add_argument("archive", type=Path)
    check.set_defaults(command=_verify)


def _export(options: argparse.Namespace) -> int:
    """Write configuration, logs, tables, figures, policies and pipeline of an experiment into one archive."""
    from must.export.pack import export

    sys.stdout.write(f"{export(options.config, options.results, options.out)}\n")
    return 0


def _verify(options: argparse.Namespace) -> int:
    """Make the tables of an archive anew from its logs. Exit status: 0 the same, 1 different, 2 no sound archive."""
    from must.export.verify import verify

    verdict = verify(options.archive)
    lines = [*verdict.differences, f"{options.archive}: {verdict}"]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0 if verdict.same else 1
