"""The options of `must plan` and `must status`. What they do is imported when they are asked to."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_commands(commands: Any) -> None:
    """Add both commands to the command line's.

    Args:
        commands: What ``ArgumentParser.add_subparsers`` returned.
    """
    plan = commands.add_parser("plan", help="say what a sweep will cost, before it starts", description=_plan.__doc__)
    plan.add_argument("config", type=Path, help="experiment file, such as config/quick.yaml")
    plan.add_argument("--profile", help="Snakemake profile that it will be run with, such as slurm")
    plan.add_argument("--results", type=Path, default=Path("results"), help="where results lie (default: results)")
    plan.add_argument("--json", action="store_true", help="print JSON instead of tables")
    plan.add_argument("--line", action="store_true", help="print one line")
    plan.add_argument("--seconds", type=float, default=30.0, help="longest time to measure for (default: 30)")
    plan.set_defaults(command=_plan)

    status = commands.add_parser("status", help="say how a sweep stands, and what failed", description=_status.__doc__)
    status.add_argument("directory", nargs="?", type=Path, help="results of one or more experiments (default: results)")
    status.add_argument("--results", type=Path, help="the same, as other commands have it")
    status.add_argument("--config", type=Path, help="experiment file (default: what its last invocation was given)")
    status.add_argument("--failed", action="store_true", help="list failed runs only")
    status.add_argument("--all", action="store_true", help="list every run, also of a large sweep")
    status.add_argument("--json", action="store_true", help="print JSON instead of tables")
    status.add_argument("--watch", action="store_true", help="look again and again until all runs are finished")
    status.add_argument("--every", type=float, default=2.0, metavar="SECONDS", help="with --watch: how often (2)")
    status.add_argument("--cost", action="store_true", help="say what each setting has cost, and what to ask for")
    status.add_argument(
        "--html", nargs="?", const=Path("status.html"), type=Path, metavar="FILE", help="write a page (status.html)"
    )
    status.set_defaults(command=_status)


def _plan(options: argparse.Namespace) -> int:
    """Print what a sweep will cost: jobs, hours, memory and disk, here and on a cluster; and what is wrong with it."""
    from must.sweep.plan_command import main

    return main(options)


def _status(options: argparse.Namespace) -> int:
    """Print how each run of a sweep stands, how long the rest takes, what failed, how to go on. Reads files only."""
    from must.sweep.status_command import main

    return main(options)
