"""``must doctor``: what this machine has, what it lacks, and how to mend that.

Nothing of the training is imported at the top: the command is for machines on which such an import fails.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import must
from must import drawing
from must.doctor import cluster, machine, software
from must.doctor.check import Check
from must.streams import quiet_console


def main() -> int:
    """Print all checks as a table; return the exit status: 0, or 2 if there is a problem."""
    from rich.markup import escape
    from rich.table import Table

    results = checks()
    table = Table("check", "state", "found", "what to do", title=f"must {must.__version__}", title_justify="left")
    colours = {"ok": "green", "optional": "yellow", "problem": "bold red"}
    for check in results:
        table.add_row(check.name, f"[{colours[check.state]}]{check.state}", escape(check.found), escape(check.mend))
    console = quiet_console()
    console.print(table)
    problems = [check.name for check in results if check.state == "problem"]
    if problems:
        console.print(f"Problems that must be mended before training works: {', '.join(problems)}.")
        return 2
    console.print("Everything that training needs is here; 'optional' is needed for the uses named beside it only.")
    return 0


def checks(results: Path = Path("results")) -> list[Check]:
    """Check everything, in the order of a set-up; no check raises.

    Args:
        results: Where the results of experiments lie (or will lie).
    """
    steps: list[tuple[str, Callable[[], Check]]] = [
        ("Python", software.python),
        ("torch", partial(software.package, "torch")),
        ("mujoco", partial(software.package, "mujoco")),
        ("packaging", partial(software.package, "packaging")),
        ("metaworld", partial(software.package, "metaworld")),
        ("packages", software.packages),
        ("simulator", software.simulator),
        ("Snakemake", partial(software.tool, "Snakemake", "snakemake", "the workflow")),
        ("Slurm plugin", partial(software.tool, "Slurm plugin", "snakemake-executor-plugin-slurm", "--profile slurm")),
        (
            "cluster plugin",
            partial(software.tool, "cluster plugin", "snakemake-executor-plugin-cluster-generic", "Gridengine"),
        ),
        ("CPU", machine.cpu),
        ("GPU", machine.gpu),
        ("disk", partial(machine.disk, results)),
        ("shared memory", machine.shared_memory),
        ("caches", machine.caches),
        ("Apptainer", cluster.apptainer),
        ("image space", cluster.image_space),
        ("Slurm", cluster.slurm),
        ("Gridengine", cluster.gridengine),
    ]
    # Before MuJoCo is imported: it is about the user's own variable.
    drawing_check = _guarded("OpenGL", software.opengl)
    with drawing.disabled():
        found = [_guarded(name, step) for name, step in steps]
    return [*found, drawing_check]


def _guarded(name: str, step: Callable[[], Check]) -> Check:
    try:
        return step()
    except Exception as error:  # noqa: BLE001 - whatever a broken installation raises is what is to be reported
        mend = "run make setup; if the problem stays, remove .venv and run it again"
        return Check(name, "problem", f"{type(error).__name__}: {error}", mend)
