"""Make the report of a finished experiment, ``results/<name>/report.html``: ``make report``.

It is one file, to be read offline. Nothing is trained for it. Where the machine cannot draw, or the best run came
without its policy, the report has no clips, and this says why.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from must.config import load_experiment
from must.data import best_run, load_results
from must.errors import MustError
from must.render import find_backend
from must.run_files import final_policy

CHECKOUT = Path(__file__).resolve().parents[2]
UP_TO_DATE = "Nothing to be done"
"""What a dry run of Snakemake says of an experiment that is finished."""


def main() -> int:
    """Make the report; return the exit status: 0 done, 1 a job failed, 2 a user's mistake."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="experiment file")
    parser.add_argument("--profile", required=True, help="Snakemake profile")
    options = parser.parse_args()
    base = ["--profile", options.profile, "--configfile", str(options.config)]
    try:
        directory = Path("results", load_experiment(options.config).name)
        require_finished(directory, base, options)
    except MustError as error:
        sys.stderr.write(f"make: {error}\n")
        return 2
    targets = ["report_parts"]
    try:
        final_policy(best_run(load_results(load_experiment(options.config), directory.parent)).directory)
        find_backend()
        targets.append("clips")
    except MustError as error:
        sys.stderr.write(f"make: the report has no clips: {error}\n")

    report, aside = directory / "report.html", directory / "report.partial.html"
    aside.unlink(missing_ok=True)
    if subprocess.run(command(*targets, *base), check=False).returncode:  # a user watches this one
        return 1
    stylesheet = CHECKOUT / "workflow" / "report" / "report.css"
    done = snakemake(*targets, *base, "--report", str(aside), "--report-html-stylesheet-path", str(stylesheet))
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        return 1
    aside.replace(report)
    sys.stdout.write(f"\nReport: {report} ({report.stat().st_size / 1e6:.1f} MB; open it in a browser)\n")
    return 0


def require_finished(directory: Path, base: list[str], options: argparse.Namespace) -> None:
    """Refuse to report on an experiment of which anything is missing, or older than what it is made from.

    Raises:
        MustError: There is something to be done first; the message says how.
    """
    first = f"run first: make reproduce CONFIG={options.config} PROFILE={options.profile}"
    if not (directory / "runs").is_dir():
        raise MustError(f"{directory}: no run of this experiment is there; {first}")
    plan = snakemake("--dry-run", *base)
    if plan.returncode:
        raise MustError(f"Snakemake cannot plan this experiment:\n{plan.stdout}{plan.stderr}")
    if UP_TO_DATE not in plan.stdout + plan.stderr:
        raise MustError(f"{directory}: the experiment is not finished, or its settings have changed since; {first}")


def snakemake(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake, and keep what it prints."""
    return subprocess.run(command(*arguments), capture_output=True, text=True, check=False)


def command(*arguments: str) -> list[str]:
    """Return the command that runs the Snakemake of this environment."""
    return [sys.executable, "-m", "snakemake", "--snakefile", str(CHECKOUT / "Snakefile"), *arguments]


if __name__ == "__main__":
    sys.exit(main())
