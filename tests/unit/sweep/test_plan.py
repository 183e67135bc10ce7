"""What a plan says of time, memory, disk and mistakes, from parts that were measured and from runs that exist."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from must.config import RunConfig, parse_experiment
from must.environment import cores_here
from must.speed import median_seconds
from must.sweep import plan as planning
from must.sweep.estimate import Speed, evaluations, kind, renewals, run_seconds
from must.sweep.measured import measure
from must.sweep.plan import Plan, look_twice, make_plan
from must.sweep.plan_command import text
from must.sweep.profile import Profile, read_profile, this_machine
from must.sweep.survey import survey
from tests.support.helpers import ROOT, SMALL, merged, small_config
from tests.support.sweep_runs import MadeUpSweep

SPEED = Speed(0.01, 0.001, 0.0, 3.0, 500e6, 200e6, 1e6, 1e5, mask_step_s=0.1, supervised_s=1.0)
CLUSTER = Profile("slurm", "slurm", 1, 100, True, 3)
HERE = replace(this_machine(), cores=2)


@pytest.fixture
def plan_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plan]:
    """Plan a made-up sweep whose runs are as fast as `SPEED` says."""
    monkeypatch.setattr(planning, "measure", lambda configs, seconds: {kind(config): SPEED for config in configs})

    def plan(*profiles: Profile, write: str = "", **sections: Any) -> Plan:
        sweep = MadeUpSweep(tmp_path / "results", **sections)
        for spec in sweep.specs[: 2 if write else 0]:
            sweep.write(spec, write)
        return make_plan(survey(sweep.experiment, sweep.directory), list(profiles or (HERE,)), 9)

    return plan


def test_a_run_takes_what_its_parts_take() -> None:
    """Two starts; 5 epochs of 3 x 10 steps, and 3 x 10 steps in each of 3 + 1 evaluations; 4 x 3 gradient steps."""
    dense = small_config(masks={"pruning_ratio": 0})
    assert evaluations(dense) == 4
    assert run_seconds(dense, SPEED) == pytest.approx(6 + (150 + 120) * 0.001 + 12 * 0.01)
    masked = small_config()
    assert renewals(masked) == 1
    assert run_seconds(masked, SPEED) == pytest.approx(run_seconds(dense, SPEED) + 1 + 3 * 0.1)
    joint = small_config(masks={"update": "joint"})
    assert run_seconds(joint, SPEED) == pytest.approx(run_seconds(masked, SPEED) - 3 * 0.01)
    assert run_seconds(small_config(training={"n_workers": 3}), SPEED) < run_seconds(masked, SPEED)


def test_runs_are_spread_over_what_a_place_has(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(HERE, CLUSTER)
    each = [setting.run_seconds for setting in plan.settings]
    assert None not in each
    dense, masked = each
    assert dense is not None
    assert masked is not None
    here, cluster = plan.places
    assert (here.at_once, cluster.at_once) == (2, 4)
    assert here.seconds == pytest.approx(dense + masked)
    assert cluster.seconds == pytest.approx(max(dense, masked))
    assert cluster.limit == 60 * 240
    assert plan.jobs == 4


def test_what_is_finished_is_not_planned_again(plan_of: Callable[..., Plan]) -> None:
    """Two of four runs are there: dense ones. Nothing has to be measured for them: their own times count."""
    plan = plan_of(write="finished")
    assert (plan.runs, plan.finished, plan.jobs) == (4, 2, 2)
    done, todo = plan.settings
    assert done.from_runs
    assert done.run_seconds == 200
    assert not todo.from_runs
    assert plan.seconds_left == pytest.approx(2 * (todo.run_seconds or 0))


def test_runs_that_are_half_done_are_planned_by_their_own_times(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(write="stopped")
    assert plan.settings[0].from_runs
    assert [plan.settings[0].seconds_left(run) for run in plan.settings[0].runs] == pytest.approx([120, 120])


def test_a_gpu_that_nobody_has_measured_has_no_time_but_a_limit(plan_of: Callable[..., Plan]) -> None:
    cluster = plan_of(HERE, CLUSTER, resources={"gpus": 1, "minutes": 30}).places[1]
    assert cluster.seconds is None
    assert cluster.limit == 30 * 60


@pytest.mark.parametrize(
    ("sections", "word"),
    [
        ({"report": {"final_evaluations": 50}}, "report.final_evaluations is 50, but a run has 11"),
        ({"masks": {"freeze_after": 0.05}}, "never renewed"),
        ({"resources": {"mem_mb": 100}}, "resources.mem_mb"),
        ({"sweep": {"seeds": [0], "pruning_ratios": [0]}}, "sweep.seeds"),
        ({"training": {"n_workers": 64, "epochs": 90, "pretrain_epochs": 10}}, "64 cores"),
        ({"training": {"epochs": 10**5}, "resources": {"minutes": 1}}, "raise resources.minutes"),
        ({"container": {"required": True}}, "container.required"),
    ],
)
def test_what_somebody_may_not_have_meant(plan_of: Callable[..., Plan], sections: dict[str, Any], word: str) -> None:
    found = look_twice(plan_of(HERE, CLUSTER, **sections))
    assert [note for note in found if word in note], found


def test_a_sound_experiment_has_nothing_to_be_looked_at_twice(plan_of: Callable[..., Plan]) -> None:
    sweep = {"seeds": list(range(5)), "pruning_ratios": [0, 0.5], "update_intervals": [10]}
    assert look_twice(plan_of(HERE, CLUSTER, sweep=sweep)) == []


def test_runs_of_other_settings_that_lie_in_the_way_are_told(plan_of: Callable[..., Plan]) -> None:
    """Somebody has copied a file and kept its name."""
    notes = [note for note in look_twice(plan_of(HERE, write="stale result")) if "other settings" in note]
    assert len(notes) == 1
    assert notes[0].startswith("2 runs of other settings lie in ")
    assert notes[0].endswith("give it another name")


def test_profiles_say_how_many_runs_there_are_at_a_time() -> None:
    experiment = parse_experiment({"name": "x", "env": {"benchmark": "MT10"}, "training": {"n_workers": 5}})
    slurm = read_profile(str(ROOT / "workflow/profiles/slurm"))
    assert (slurm.local, slurm.in_image, slurm.at_once(experiment)) == (False, True, 100)
    local = read_profile(str(ROOT / "workflow/profiles/local"))
    assert local.local
    assert replace(local, cores=12).at_once(experiment) == 2
    assert replace(local, cores=2).at_once(experiment) == 1
    together = parse_experiment(experiment.model_dump(mode="json") | {"resources": {"runs_per_job": 2}})
    assert replace(local, cores=12).at_once(together) == 2
    assert slurm.at_once(together) == 200


def test_time_that_others_have_the_core_is_not_counted() -> None:
    """As in a pause of this process; what a GPU does meanwhile is."""
    assert median_seconds(lambda: time.sleep(0.05)) < 0.02
    assert median_seconds(lambda: time.sleep(0.05), time.perf_counter) > 0.04


@pytest.mark.parametrize(("load", "write", "busy"), [(1.0, "", 0), (2.0, "", 1), (2.0, "finished", 0)])
def test_a_busy_machine_is_named_beside_what_was_measured_on_it(
    plan_of: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch, load: float, write: str, busy: int
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load * cores_here(), 0.0, 0.0))
    plan = plan_of(write=write, sweep={"seeds": [0, 1], "pruning_ratios": [0]})
    assert sum(line.startswith("This machine is busy now (load") for line in text(plan, "made.yaml")) == busy


def test_a_machine_is_measured_with_real_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two settings of one kind, one is measured, and not again; a process that gets no time measures nothing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    sections = {"t3s": {"selector_sizes": [8]}}  # as in a file of several methods
    configs = [RunConfig.model_validate(merged(SMALL, sections | {"training": {"seed": seed}})) for seed in (0, 1)]
    assert measure(configs, 0) == {}
    found = measure(configs, 60)
    (speed,) = found.values()
    assert speed.device == "cpu"
    assert min(speed.step_s, speed.mask_step_s, speed.supervised_s, speed.env_step_s, speed.start_s) > 0
    assert speed.learner_bytes >= speed.worker_bytes > 1e6
    assert measure(configs, 0) == found
