"""``must train`` and ``must train-together``. What they do is imported when they are asked to."""

from __future__ import annotations

import argparse
import json
import os
import shlex
from pathlib import Path
from typing import Any

from must import drawing
from must.config import RunConfig, load_experiment, parse_assignments
from must.config.first_masks import require_episode
from must.config.options import ORIGINAL_OPTIONS, option_flag
from must.config.unread import require_for_one_run, unread_by_run
from must.errors import EXIT_INTERRUPTED, ConfigError, ResultsError
from must.run_files import MEAN_SUCCESS
from must.streams import complain

EXIT_KILLED = 130
STOPPED = "stopped at once; training goes on from the last checkpoint"
"""Said of a second Ctrl-C, and of one before training has begun; `must status` knows it by its first words."""


def add_commands(commands: Any) -> None:
    """Add both commands to the command line's.

    Args:
        commands: What ``ArgumentParser.add_subparsers`` returned.
    """
    train = commands.add_parser("train", help="train one run", description=_train.__doc__)
    _add_options(train)
    train.set_defaults(command=_train, stopped=STOPPED)

    together = commands.add_parser(
        "train-together", help="train several runs in one process", description=_train_together.__doc__
    )
    together.add_argument("--config", required=True, type=Path, help="experiment file")
    together.add_argument("--results", required=True, type=Path, help="results/<name>: runs/ and logs/train/ lie there")
    together.add_argument("--slots", type=int, default=0, help="runs that are trained at a time (default: all)")
    together.add_argument("runs", nargs="+", help="path below runs/ and options of must train, in turn")
    together.set_defaults(command=_train_together, stopped=f"{STOPPED}s")


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, type=Path, help="experiment file, such as config/quick.yaml")
    parser.add_argument("--out", required=True, type=Path, help="run directory")
    for name, (key, metavar, text) in ORIGINAL_OPTIONS.items():
        parser.add_argument(option_flag(name), metavar=metavar, help=f"{text} ({key})")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any other key, dotted")
    parser.add_argument("--keep-old", action="store_true", help="move a run of another configuration in DIR aside")


def _train(options: argparse.Namespace) -> int:
    """Train one run, or go on with an interrupted one. Signals TERM, USR1, INT and HUP: checkpoint, exit status 75."""
    config, problems = _run_settings(options)
    for problem in problems:
        complain(problem)
    with drawing.disabled():
        from must.training import RESULT, train

    result = options.out / RESULT
    before = result.exists()
    if not train(config, options.out, options.keep_old):
        print(f"{options.out}: interrupted; the same command goes on from its checkpoint")
        return EXIT_INTERRUPTED
    try:
        success = float(json.loads(result.read_text(encoding="utf-8"))[MEAN_SUCCESS])
    except (ValueError, TypeError, KeyError):
        raise ResultsError(f"{result}: is damaged; delete {options.out} to train the run again") from None
    print(f"{options.out}: finished{' already' if before else ''}, mean success {success:.3f}")
    return 0


def _run_settings(options: argparse.Namespace) -> tuple[RunConfig, list[str]]:
    """Return the settings that the options of ``must train`` ask for, and which of them the run does not read."""
    overrides = parse_assignments(options.set)
    typed: dict[str, str] = {}
    for name, (key, _, _) in ORIGINAL_OPTIONS.items():
        value = getattr(options, name)
        if value is None:
            continue
        if key not in overrides:
            typed[key] = f"{option_flag(name)} {value}"
        if overrides.setdefault(key, value) != value:
            raise ConfigError(
                f"{option_flag(name)} {value}: --set {key}={overrides[key]} says something else; keep one"
            )
    require_for_one_run(overrides)
    config = load_experiment(options.config, overrides, typed).run_config()
    require_episode(config, str(options.config))
    return config, list(unread_by_run(config, overrides))


def _train_together(options: argparse.Namespace) -> int:
    """Train several runs in one process, which share a GPU well; each with its log in logs/train, as in its own."""
    if len(options.runs) % 2:
        raise ConfigError(f"train-together: {options.runs[-1]} has no options after it; write '' where there are none")
    with drawing.disabled():
        from must.training.together import Job, train_together

    def job(run: str, text: str) -> Job:
        parser = argparse.ArgumentParser(prog=f"must train-together: {run}")
        _add_options(parser)
        command = ["--config", str(options.config), "--out", str(options.results / "runs" / run)]
        asked = parser.parse_args([*command, *shlex.split(text)])
        log = options.results / "logs" / "train" / f"{run}.log"

        def read() -> RunConfig:
            config, problems = _run_settings(asked)
            for problem in problems:
                complain(f"{run}: {problem}")
            return config

        return Job(run, read, asked.out, log)

    jobs = [job(*pair) for pair in zip(options.runs[::2], options.runs[1::2], strict=True)]
    try:
        statuses = train_together(jobs, options.slots if options.slots > 0 else len(jobs), keep_old=True)
    except KeyboardInterrupt:
        complain(f"{STOPPED}s")
        os._exit(EXIT_KILLED)  # the runs' threads are in the middle of something
    if EXIT_INTERRUPTED in statuses.values() or len(statuses) < len(jobs):
        return EXIT_INTERRUPTED
    return int(any(statuses.values()))
