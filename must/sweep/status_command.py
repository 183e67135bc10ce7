"""``must status``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from must.config import Experiment, load_experiment, load_sweep
from must.errors import ConfigError, ResultsError
from must.run_files import CONFIG
from must.streams import quiet_console
from must.sweep.places import experiments_in, nameless, nameless_in, place_of
from must.sweep.status_text import as_json, drawn, outlook, plain, summary
from must.sweep.survey import Memory, Survey, survey

_LINES_AROUND = 10
"""Lines of a terminal that the list of runs leaves to everything else."""


def main(options: argparse.Namespace) -> int:
    """Print how a sweep stands; return the exit status."""
    if options.every <= 0:
        raise ConfigError(f"--every {options.every}: give a number of seconds above 0")
    for first, second in (("json", "watch"), ("json", "html"), ("cost", "watch"), ("cost", "html"), ("json", "cost")):
        if getattr(options, first) and getattr(options, second):
            raise ConfigError(f"--{first} and --{second} do not go together; give one of them")
    if options.directory is not None and options.results is not None:
        raise ConfigError(f"--results {options.results}: {options.directory} is named as well; give one of them")
    looks = Looks(options.directory or options.results or Path("results"), options.config)
    found = looks.take()
    if options.cost:
        from must.sweep.cost import cost_report

        print_lines([cost_report(one) for one in found])
        return 0
    if options.json:
        experiments = [as_json(one, options.failed) for one in found]
        print_lines([json.dumps({"experiments": experiments}, indent=1)])
        return 0
    if options.watch:
        return _watch(options, looks)
    if options.html is not None:
        _write_page(options.html, found)
        print_lines([str(options.html)])
        return 0
    if sys.stdout.isatty():
        console = quiet_console()
        for one in found:
            console.print(drawn(one, options.failed, options.all))
            console.print()
        return 0
    print_lines(["\n\n".join(plain(one, options.failed, options.all) for one in found)])
    return 0


class Looks:
    """Takes looks at the experiments in a directory of results; what does not change is read once."""

    def __init__(self, results: Path, config: Path | None) -> None:
        """Find the experiments.

        Args:
            results: Directory of one experiment or of several.
            config: Experiment file to look for; None takes what each experiment's last invocation was given.
        """
        self._results = results
        self._memories: dict[Path, Memory] = {}
        self._told: set[str] = set()
        self._file, self._given = config, None if config is None else load_sweep(config)
        self._read: dict[Path, tuple[float, Experiment]] = {}

    def take(self) -> list[Survey]:
        """Look at all of them.

        Raises:
            ResultsError: There is none, or what its invocation was given cannot be read.
        """
        return [
            survey(experiment, place, self._memories.setdefault(place, Memory()), self._file)
            for place, experiment in self._experiments()
        ]

    def _experiments(self) -> Iterator[tuple[Path, Experiment]]:
        if self._given is not None:
            yield place_of(self._given.name, self._results), self._given
            return
        places = experiments_in(self._results)
        for place in nameless_in(self._results):
            self._warn(nameless(place))
        for place in places:
            changed = (place / CONFIG).stat().st_mtime
            if self._read.get(place, (None,))[0] != changed:
                try:
                    self._read[place] = changed, load_experiment(place / CONFIG)
                except ConfigError as error:
                    problem = f"{str(error).splitlines()[0]}; name the experiment's file: --config FILE"
                    if len(places) == 1:
                        raise ResultsError(problem) from None
                    self._warn(problem)
                    continue
            yield place, self._read[place][1]

    def _warn(self, problem: str) -> None:
        """Report once an experiment that cannot be told of; the others can."""
        if problem not in self._told:
            self._told.add(problem)
            sys.stderr.write(f"must: {problem}\n")


def print_lines(lines: list[str]) -> None:
    """Print text to the output."""
    sys.stdout.write("\n".join(lines) + "\n")


def _watch(options: argparse.Namespace, looks: Looks) -> int:
    """Look again and again until all runs are finished, or the user stops it."""
    try:
        if sys.stdout.isatty():
            _redraw(options, looks, quiet_console())
        else:
            _tell(options, looks)
    except KeyboardInterrupt:
        return 0
    return 0


def _redraw(options: argparse.Namespace, looks: Looks, console: Console) -> None:
    with Live(console=console, auto_refresh=False, vertical_overflow="visible") as live:
        for found in _rounds(options, looks):
            rows = max(3, console.size.height - _LINES_AROUND * len(found)) // len(found)
            parts = [drawn(one, options.failed, options.all, rows) for one in found]
            clock = Text(time.strftime("%H:%M:%S") + "  (Ctrl-C ends this; the sweep goes on)", style="bright_black")
            live.update(Group(*parts, clock), refresh=True)


def _tell(options: argparse.Namespace, looks: Looks) -> None:
    """Print a line for each experiment, whenever it says something new."""
    told: dict[Path, str] = {}
    for found in _rounds(options, looks):
        for one in found:
            text = f"{summary(one)}; {outlook(one)}"
            if told.get(one.directory) != text:
                told[one.directory] = text
                print_lines([f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}"])
                sys.stdout.flush()


def _rounds(options: argparse.Namespace, looks: Looks) -> Iterator[list[Survey]]:
    while True:
        found = looks.take()
        if options.html is not None:
            _write_page(options.html, found, options.every)
        yield found
        if all(one.progress == 1 for one in found):
            return
        time.sleep(options.every)


def _write_page(path: Path, found: list[Survey], every: float | None = None) -> None:
    from must.sweep.page import write_page

    write_page(path, found, every)
