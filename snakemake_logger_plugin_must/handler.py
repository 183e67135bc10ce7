"""From Snakemake's events to what a user sees."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text
from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from must.sweep.live import SweepView, told
from must.sweep.state import State
from must.sweep.survey import RunStatus
from must.sweep.tails import last_lines
from must.words import count_of, duration
from snakemake_logger_plugin_must.settings import LogHandlerSettings

TELL_SECONDS = 60.0
"""Seconds between two lines on how far the sweep is, where there is no terminal."""
TRAINING = ("train", "train_anew")
"""Rules that train runs."""
_CHATTER = re.compile(
    r"Building DAG|host: |Using shell|Provided |Rules claiming|Assuming unrestricted|Select jobs|Config file|Job stats"
    r"|Conda env|Singularity cont|Group jobs|Storing output|Workflow defines|Will exit after|Complete log|Elapsed time"
)
"""What Snakemake says in between, and its log file has."""
_TOLD = ("RuleException:\nCalledProcessError", "WorkflowError:\nAt least one job did not complete")
"""The status of a job's shell, and that there is such a job: which one ended how, and why, is told beside it."""


@dataclass
class Job:
    """A job that is at work."""

    rule: str
    message: str
    outputs: list[str]
    log: str
    started: float = field(default_factory=time.monotonic)

    @property
    def run(self) -> str | None:
        """Path of the run that it trains, below ``runs/``; None where it trains none, or several."""
        path = Path(self.outputs[0]) if self.outputs else Path()
        inside = self.rule in TRAINING and path.parts[0] == "results" and path.parts[2] == "runs"
        return "/".join(path.parts[3:-1]) if inside else None


class LogHandler(LogHandlerBase):
    """Shows a sweep on the error stream."""

    def __post_init__(self) -> None:
        """Decide what there is to be shown, and where."""
        settings = self.common_settings
        stream = sys.stdout if settings.stdout else sys.stderr
        self._console = Console(file=stream, no_color=settings.nocolor or None, highlight=False, soft_wrap=True)
        self._text: ColorizingTextHandler | None = None
        text = isinstance(self.settings, LogHandlerSettings) and self.settings.text
        if text or settings.dryrun or settings.verbose or settings.debug_dag:
            self._text = ColorizingTextHandler(settings.nocolor, stream)
            self._text.setFormatter(DefaultFormatter(settings.quiet, settings.show_failed_logs))
        self._filter = DefaultFilter(
            settings.quiet, settings.debug_dag, settings.verbose, settings.dryrun, settings.printshellcmds
        )
        self._draws = self._console.is_terminal and not self._console.is_dumb_terminal and self._text is None
        self._dates = not self._draws
        """Whether lines have the time."""
        self._live: Live | None = None
        self._view: SweepView | None = None
        self._jobs: dict[int, Job] = {}
        self._left = False
        """Whether a job has ended without having made what it was to make."""
        self._ended = threading.Event()
        self._handlers: dict[Any, Callable[[Any], None]] = {
            LogEvent.JOB_INFO: self._begin,
            LogEvent.JOB_FINISHED: self._finish,
            LogEvent.JOB_ERROR: self._fail,
            LogEvent.RUN_INFO: self._announce,
            LogEvent.PROGRESS: lambda _: None,
        }

    def emit(self, record: logging.LogRecord) -> None:
        """Show what a record means; never raise an error: training must not end because nobody can watch."""
        try:
            if not self._filter.filter(record):
                return
            if self._text is not None:
                self._text.emit(record)
                return
            event = getattr(record, "event", None)
            if event in self._handlers:
                self._handlers[event](record)
            elif event is None or record.levelno >= logging.WARNING:
                text = str(record.msg or "").strip()
                chatter = record.levelno < logging.WARNING and _CHATTER.match(text)
                if text and not chatter and not text.startswith(_TOLD):
                    self._say(text, "red" if record.levelno >= logging.ERROR else None)
        except OSError:  # the terminal has been closed
            self._stop()
        except Exception:  # noqa: BLE001 - nothing that goes wrong here may end the sweep
            self._stop()
            self.handleError(record)

    def close(self) -> None:
        """Take the bar away, and say how what is left goes on."""
        self._stop()
        command = self._view.going_on() if self._left and self._view is not None else ""
        self._left = False  # it may be closed twice
        if command:
            with suppress(OSError):
                self._say(f"go on with: {command}")
        super().close()

    @property
    def writes_to_stream(self) -> bool:
        """It stands in for what Snakemake prints."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """Snakemake's own log file is written as ever."""
        return False

    @property
    def has_filter(self) -> bool:
        """It has one."""
        return True

    @property
    def has_formatter(self) -> bool:
        """It has one."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """It does not."""
        return False

    def _announce(self, record: Any) -> None:
        stats = dict(record.stats)
        training = sum(stats.get(rule, 0) for rule in TRAINING)
        others = sum(number for rule, number in stats.items() if rule not in (*TRAINING, "total", "default", "all"))
        jobs = f"{count_of(training, 'job')} to train runs, {count_of(others, 'other')}"
        self._say(f"{jobs}; Snakemake's own log: .snakemake/log/")

    def _begin(self, record: Any) -> None:
        logs = list(record.log)
        message = str(record.rule_msg or record.rule_name)
        job = Job(record.rule_name, message, list(record.output), logs[0] if logs else "")
        self._jobs[record.jobid] = job
        if job.rule in TRAINING and self._view is None:
            self._view = SweepView(Path(*Path(job.outputs[0]).parts[:2]))
            if not self._draws:
                threading.Thread(target=self._tell, daemon=True).start()
        if not self._draws and job.rule not in ("default", "all"):
            self._say(message)
        elif self._live is None and self._draws:
            self._live = Live(
                console=self._console,
                get_renderable=self._draw,
                refresh_per_second=1,
                transient=True,
                redirect_stdout=False,
            )
            self._live.start()

    def _finish(self, record: Any) -> None:
        job = self._jobs.pop(record.job_id, None)
        if job is None or job.rule in ("default", "all"):
            return
        self._say_finished(job, self._run_of(job))

    def _run_of(self, job: Job) -> RunStatus | None:
        """Return how the run stands that a job trains; None where it trains none, or several."""
        return None if job.run is None or self._view is None else self._view.run(job.run)

    def _say_finished(self, job: Job, run: RunStatus | None) -> None:
        took = duration(time.monotonic() - job.started)
        if run is None:
            self._say(f"finished: {job.message}, {took}")
        else:
            success = "" if run.look.success is None else f", success {run.look.success:.2f}"
            self._say(f"finished: {run.path}{success}, {took}", "green")

    def _fail(self, record: Any) -> None:
        job = self._jobs.pop(record.jobid, None)
        self._left = True
        if job is not None and self._stopped(job):
            return
        logs = list(record.log)
        name = (job.run or job.message) if job is not None else record.rule_name
        last = [line for path in logs for line in last_lines(Path(path)) if line.strip()][-1:]
        self._say(f"failed: {name}: {last[0].strip() if last else record.rule_msg or 'it says nothing'}", "red")
        for path in logs:
            self._say(f"    log: {path}", "red")
        for run in self._failures(job):
            self._say(run, "red")

    def _stopped(self, job: Job) -> bool:
        """Say that a run was asked to stop, or had finished when it was; return whether that is so.

        Snakemake takes both for failures.
        """
        run = self._run_of(job)
        if run is None or self._view is None:
            return False
        ended = self._view.ended(run.path, Path(job.log))
        if ended is State.FINISHED:
            self._say_finished(job, run)
        elif ended is State.INTERRUPTED:
            self._say(f"stopped: {run.path}, at epoch {run.look.epoch} of {run.setting.epochs}; it goes on from there")
        return ended is not None

    def _failures(self, job: Job | None) -> list[str]:
        """Return what went wrong in which run, of a job that trains several."""
        if job is None or job.rule not in TRAINING or job.run is not None or self._view is None:
            return []
        found = self._view.look(force=True)
        failed = [] if found is None else [run for run in found.runs if run.state is State.FAILED]
        return [f"    {run.path}: {run.look.reason} (log: {run.look.log})" for run in failed]

    def _draw(self) -> Any:
        try:
            others = [
                f"{job.message}  {duration(time.monotonic() - job.started)}"
                for job in list(self._jobs.values())
                if job.rule not in (*TRAINING, "default", "all")
            ]
            return Text() if self._view is None and not others else self._drawn(others)
        except Exception:  # noqa: BLE001 - see `emit`
            return Text()

    def _drawn(self, others: list[str]) -> Any:
        if self._view is None:
            return Text("\n".join(others), no_wrap=True, overflow="ellipsis")
        return self._view.draw(self._console.width, others)

    def _tell(self) -> None:
        """Print every so often how far the sweep is."""
        with suppress(OSError):
            while not self._ended.wait(TELL_SECONDS):
                found = None if self._view is None else self._view.look(force=True)
                if found is not None:
                    self._say(told(found))

    def _say(self, text: str, style: str | None = None) -> None:
        clock = time.strftime("[%H:%M:%S] ") if self._dates else ""
        self._console.print(Text(clock + text, style=style or ""))

    def _stop(self) -> None:
        self._ended.set()
        live, self._live, self._draws = self._live, None, False
        if live is not None:
            with suppress(OSError):
                live.stop()
