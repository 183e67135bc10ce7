"""Runs in every state are told apart by what their files say, whatever the clocks of other machines say."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import pytest

from must.sweep.state import State
from must.sweep.survey import Survey, survey
from tests.support.sweep_runs import ELSEWHERE, GONE, HERE, HOUR, KINDS, MadeUpSweep


@pytest.fixture
def sweep(tmp_path: Path) -> MadeUpSweep:
    return MadeUpSweep(tmp_path / "results")


def look(sweep: MadeUpSweep) -> Survey:
    return survey(sweep.experiment, sweep.directory)


def states(sweep: MadeUpSweep) -> dict[str, str]:
    return {run.path: str(run.state) for run in look(sweep).runs}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_stands_as_its_files_say(sweep: MadeUpSweep, kind: str) -> None:
    sweep.write(sweep.specs[0], kind)
    found = look(sweep).runs[0]
    assert found.state == KINDS[kind]
    half = {"running": 50, "finished": 100, "damaged": 100, "interrupted": 40, "failed": 40 if kind != "refused" else 0}
    assert found.look.epoch == half.get(KINDS[kind], 0)


def test_the_reason_and_the_file_that_says_more_are_told(sweep: MadeUpSweep) -> None:
    for spec, kind in zip(sweep.specs, ("failed", "refused", "crashed", "stopped"), strict=True):
        sweep.write(spec, kind)
    failed, refused, crashed, stopped = look(sweep).runs
    assert failed.look.reason == "the disk is full"
    assert refused.look.reason == "runs/x: is a file; give --out a directory"
    assert refused.look.log == str(sweep.log(sweep.specs[1]))
    assert crashed.look.reason == "RuntimeError: no kernel image"
    assert stopped.look.reason == "stopped on request"


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("other evaluations", "eval.csv is not what the run wrote"),
        ("no training log", "train.csv is missing"),
        ("torn result", "result.json cannot be read"),
    ],
)
def test_a_finished_run_that_lost_its_logs_says_what_to_do(sweep: MadeUpSweep, kind: str, problem: str) -> None:
    sweep.write(sweep.specs[0], kind)
    found = look(sweep)
    mend = f"restore it from a copy, or delete {sweep.place(sweep.specs[0])} to train the run again"
    assert found.runs[0].look.reason == f"{problem}; {mend}"
    assert found.next_command


def test_a_thousand_runs_in_all_states(tmp_path: Path) -> None:
    sections = {"seeds": list(range(100)), "pruning_ratios": [0, 0.2, 0.5, 0.8], "update_intervals": [10, 20, 40]}
    sweep = MadeUpSweep(tmp_path / "results", sweep=sections)
    assert len(sweep.specs) == 1000
    expected = dict(zip((spec.path for spec in sweep.specs), itertools.cycle(KINDS), strict=False))
    for spec in sweep.specs:
        sweep.write(spec, expected[spec.path])
    assert states(sweep) == {path: KINDS[kind] for path, kind in expected.items()}


def test_what_a_head_at_work_has_planned_is_waiting_until_it_gets_to_it(sweep: MadeUpSweep) -> None:
    """What was interrupted or failed before this head started will be tried again; what fails under it is failed."""
    early, late, never, other = sweep.specs
    sweep.write(early, "failed")
    sweep.age(early, HOUR)
    sweep.write(late, "failed")
    sweep.head(HERE, [early, late, never], age=HOUR / 2)
    found = states(sweep)
    assert [found[spec.path] for spec in (early, late, never, other)] == ["waiting", "failed", "waiting", "missing"]


@pytest.mark.parametrize("kind", ["stale result", "begun with other settings", "killed", "stopped", "missing"])
def test_whatever_lies_there_waits_for_the_head(sweep: MadeUpSweep, kind: str) -> None:
    sweep.write(sweep.specs[0], kind)
    sweep.age(sweep.specs[0], HOUR)
    sweep.head(HERE, sweep.specs, age=HOUR / 2)
    assert look(sweep).runs[0].state is State.WAITING


def test_a_job_that_has_just_begun_is_running(sweep: MadeUpSweep) -> None:
    sweep.head(HERE, sweep.specs, age=60)
    sweep.write(sweep.specs[0], "only a log")
    assert [run.state for run in look(sweep).runs] == [State.RUNNING, *3 * [State.WAITING]]


@pytest.mark.parametrize(("owner", "ended"), [(GONE, False), (HERE, True), (ELSEWHERE, True)])
def test_a_head_that_has_ended_keeps_nothing_waiting(sweep: MadeUpSweep, owner: object, ended: bool) -> None:
    sweep.head(owner, sweep.specs, ended)  # type: ignore[arg-type]
    found = look(sweep)
    assert found.counts == {State.MISSING: 4}
    assert found.next_command == "make reproduce CONFIG=made.yaml"


def test_a_head_of_another_machine_is_taken_at_its_word(sweep: MadeUpSweep) -> None:
    sweep.head(ELSEWHERE, sweep.specs)
    found = look(sweep)
    assert found.counts == {State.WAITING: 4}
    assert found.next_command == ""


def test_runs_wait_for_those_that_they_share_a_job_with(tmp_path: Path) -> None:
    """Without a head too: one that was killed leaves its jobs at work."""
    resources = {"runs_per_job": 2}
    sweep = MadeUpSweep(tmp_path / "results", resources=resources, sweep={"seeds": [0, 1], "pruning_ratios": [0, 0.5]})
    first = [spec for spec in sweep.specs if spec.has("seed", "0")]
    sweep.write(first[0], "running elsewhere")
    found = states(sweep)
    assert found[first[1].path] == "waiting"
    assert sorted(found.values()) == ["missing", "missing", "running", "waiting"]


@pytest.mark.parametrize("ahead", [-600.0, 600.0, 7200.0])
def test_clocks_that_differ_change_nothing(sweep: MadeUpSweep, ahead: float) -> None:
    """The file system's clock is behind or ahead of this machine's: by ten minutes, or by hours ahead."""
    running, silent = sweep.specs[:2]
    sweep.write(running, "running elsewhere")
    sweep.write(silent, "silent elsewhere")
    for path in sweep.directory.rglob("*"):
        then = path.stat().st_mtime + ahead
        os.utime(path, (then, then))
    found = states(sweep)
    assert [found[spec.path] for spec in (running, silent)] == ["running", "interrupted"]


def test_a_log_that_is_being_written_is_read_as_far_as_it_is_whole(sweep: MadeUpSweep) -> None:
    sweep.write(sweep.specs[0], "running here")
    for name, torn in (("timing.csv", "51,0.5"), ("eval.csv", "51,"), ("manifest.json", "")):
        with (sweep.place(sweep.specs[0]) / name).open("a" if torn else "w", encoding="utf-8") as file:
            file.write(torn)
    found = look(sweep).runs[0]
    assert (found.state, found.look.epoch, found.look.success) == (State.RUNNING, 50, 0.25)


def test_the_time_left_is_that_of_runs_like_it(sweep: MadeUpSweep) -> None:
    """Two runs at a time: 50 epochs of 2 s are left of each running one, 100 of the others."""
    for spec in sweep.specs[:2]:
        sweep.write(spec, "running here")
    found = look(sweep)
    assert [run.seconds_left for run in found.runs] == [100, 100, 200, 200]
    assert found.seconds_left == 300
    assert found.progress == 0.25


def test_nothing_is_written_and_no_lock_is_taken(sweep: MadeUpSweep) -> None:
    for spec, kind in zip(sweep.specs, KINDS, strict=False):
        sweep.write(spec, kind)
    before = {path: path.stat().st_mtime_ns for path in sweep.directory.rglob("*")}
    time.sleep(0.01)
    look(sweep)
    assert {path: path.stat().st_mtime_ns for path in sweep.directory.rglob("*")} == before
