"""Live logs of a run that is killed and goes on: one run, no point twice, none lost; and they never end a run."""

from __future__ import annotations

import json
import logging
import multiprocessing
import struct
import sys
import time
import types
from importlib import import_module, util
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event

from must.run_log import RunLog
from must.wandb_log import environment_name, run_name
from tests.support.helpers import small_config
from tests.support.wandb_files import offline_runs

COLUMNS = ["loss"]
TASKS = ("reach-v3", "drawer-close-v3", "push-v3")


def open_log(directory: Path, positions=None, env_steps=None, **logging_settings) -> RunLog:
    return RunLog(directory, small_config(logging=logging_settings), COLUMNS, positions, env_steps)


def write(log: RunLog, epochs) -> None:
    for epoch in epochs:
        log.append("train", {"epoch": epoch, "env_steps": 30 * epoch, "loss": 0.5 * epoch})
        if epoch % 2 == 0:
            returns = {f"return/{task}": value for task, value in zip(TASKS, (10.0, 20.0, 30.0), strict=True)}
            log.append("eval", {"epoch": epoch, "env_steps": 30 * epoch, "mean_success": 0.25, **returns})


def train_and_die(directory: Path, orderly: bool = False, **settings) -> dict[str, int]:
    """Log epochs 1 to 4 with a checkpoint after the second one, and no more; return the sizes of the files then."""
    directory.mkdir(parents=True)
    killed = open_log(directory, **settings)
    write(killed, [1, 2])
    killed.sync()
    positions = killed.positions()
    write(killed, [3, 4])
    if orderly:
        killed.close()
    return positions


def train_and_resume(directory: Path, **settings) -> None:
    """Log and die, and go on from the checkpoint to the sixth epoch."""
    resume(directory, train_and_die(directory, **settings), **settings)


def resume(directory: Path, positions: dict[str, int], **settings) -> None:
    resumed = open_log(directory, positions, env_steps=60, **settings)
    write(resumed, [3, 4, 5, 6])
    resumed.close()


def tensorboard_points(directory: Path) -> list[tuple[str, int]]:
    """Return what TensorBoard shows: at the start of a session it drops later points of the ones before."""
    points: list[tuple[str, int]] = []
    for path in sorted((directory / "tensorboard").iterdir()):
        content, at = path.read_bytes(), 0
        while at < len(content):
            (size,) = struct.unpack_from("<Q", content, at)
            event = Event.FromString(content[at + 12 : at + 12 + size])
            at += 16 + size
            if event.HasField("session_log"):
                points = [(tag, step) for tag, step in points if step < event.step]
            points += [(value.tag, event.step) for value in event.summary.value]
    return points


@pytest.mark.parametrize("delay", [0, 0.02])
def test_tensorboard_has_every_point_once(tmp_path, monkeypatch, delay):
    from tensorboardX.event_file_writer import EventsWriter

    def slow(writer, event, write=EventsWriter.write_event) -> None:  # as the library's thread is on a busy machine
        time.sleep(delay)
        write(writer, event)

    monkeypatch.setattr(EventsWriter, "write_event", slow)
    times = iter(range(1_000_000_000, 2_000_000_000))
    monkeypatch.setattr("tensorboardX.event_file_writer.time.time", lambda: next(times))  # names of files are seconds
    train_and_resume(tmp_path / "run", tensorboard=True)
    points = tensorboard_points(tmp_path / "run")
    assert sorted(points) == sorted(
        [("train/loss", 30 * epoch) for epoch in range(1, 7)]
        + [("eval/mean_success", 30 * epoch) for epoch in (2, 4, 6)]
        + [(f"eval/return/{task}", 30 * epoch) for task in TASKS for epoch in (2, 4, 6)]
    )


class Wandb(types.ModuleType):
    """Stands in for Weights & Biases: what it was asked for, and what it would refuse."""

    def __init__(self) -> None:
        super().__init__("wandb")
        self.__spec__ = None
        self.started: list[dict] = []
        self.logged: list[list[tuple[int, dict]]] = []
        self.has_key, self.fails = True, False
        self.Settings = dict
        self.step = 0
        self.axes: dict[str, str] = {}

    def login(self, prompt):
        assert prompt is False  # on a terminal it would wait for somebody to type
        return self.has_key

    def init(self, **arguments):
        if self.fails and arguments["mode"] == "online":
            raise RuntimeError("no such host\nand many more lines")
        self.started.append(arguments)
        self.logged.append([])
        return self

    def log(self, values, step):
        steps = [each for each, _ in self.logged[-1]]
        assert not steps or step >= steps[-1]  # the library drops a step that is not the newest
        self.logged[-1].append((step, values))

    def define_metric(self, name, step_metric):
        self.axes[name] = step_metric

    def finish(self):
        pass


@pytest.fixture
def wandb(monkeypatch):
    module = Wandb()
    monkeypatch.setitem(sys.modules, "wandb", module)
    return module


def test_wandb_is_one_run_with_its_name_and_settings_and_loses_nothing(tmp_path, wandb):
    directory = tmp_path / "results" / "study" / "runs" / "pruning_ratio~0.5" / "seed~1"
    train_and_resume(directory, wandb="offline")
    first, second = wandb.started
    assert first["id"] == second["id"]
    assert {first["name"], second["name"]} == {"study/pruning_ratio~0.5/seed~1"}
    assert second["config"]["masks"]["pruning_ratio"] == 0.5
    assert (second["resume"], second["mode"]) == ("allow", "offline")
    # The second process has all of the run: the first one may have died with what it had not written yet.
    assert sorted({step for step, _ in wandb.logged[1]}) == [1, 2, 3, 4, 5, 6]
    losses = [(step, values["train/loss"]) for step, values in wandb.logged[1] if "train/loss" in values]
    assert losses == [(epoch, 0.5 * epoch) for epoch in range(1, 7)]


def test_wandb_is_not_told_again_what_its_server_knows(tmp_path, wandb):
    wandb.step = 2  # the next step that it expects
    train_and_resume(tmp_path / "run", wandb="online")
    assert next(step for step, _ in wandb.logged[1]) == 2


def test_wandb_is_told_project_entity_group_tags_and_the_axis(tmp_path, wandb):
    chosen = {"wandb_project": "sparse", "wandb_entity": "us", "wandb_group": "pilot", "wandb_tags": ["a", "b"]}
    for name in ("runs/variant~x/seed~1", "runs/variant~x/seed~2", "alone"):
        (tmp_path / name).mkdir(parents=True)
        open_log(tmp_path / name, wandb="offline").close()
    (tmp_path / "chosen").mkdir()
    open_log(tmp_path / "chosen", wandb="offline", **chosen).close()
    groups = [(each["project"], each["group"], each["config"]["exp_name"]) for each in wandb.started]
    setting = f"{tmp_path.name}/variant~x"
    assert groups == [("must", setting, setting)] * 2 + [("must", "must", "must"), ("sparse", "pilot", "pilot")]
    assert (wandb.started[-1]["entity"], wandb.started[-1]["tags"]) == ("us", ["a", "b"])
    assert wandb.axes == {"train/*": "env_steps", "eval/*": "env_steps", "charts/*": "env_steps"}


@pytest.mark.parametrize(
    ("env", "name"),
    [
        ({"tasks": ["reach-v3", "push-v3"]}, "reach-v3+push-v3"),
        ({"tasks": None, "benchmark": "MT10"}, "MT10"),
        ({"tasks": None, "benchmark": "MT10", "n_tasks": 3}, "MT10-first3"),
    ],
)
def test_tasks_have_a_name(env, name):
    assert environment_name(small_config(env=env, sac={"buffer_size": 3000}).env) == name


def test_another_directory_is_another_run(tmp_path, wandb):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        open_log(tmp_path / name, wandb="offline").close()
    assert wandb.started[0]["id"] != wandb.started[1]["id"]


@pytest.mark.parametrize(("has_key", "fails"), [(False, False), (True, True)])
def test_online_without_a_server_goes_on_offline_with_one_line(tmp_path, wandb, caplog, has_key, fails):
    wandb.has_key, wandb.fails = has_key, fails
    with caplog.at_level(logging.WARNING, "must"):
        log = open_log(tmp_path, wandb="online")
        write(log, [1])
        log.close()
    (message,) = caplog.messages
    assert len(message.splitlines()) == 1
    assert [each["mode"] for each in wandb.started] == ["offline"]
    assert len(wandb.logged[0]) == 1


def test_a_live_log_that_fails_ends_with_one_line_and_the_csv_files_go_on(tmp_path, wandb, caplog):
    def fail(*_, **__):
        raise ConnectionResetError("gone")

    log = open_log(tmp_path, wandb="offline")
    wandb.log = fail
    with caplog.at_level(logging.WARNING, "must"):
        write(log, [1, 2, 3])
        log.sync()
        log.close()
    assert len(caplog.messages) == 1
    assert len((tmp_path / "train.csv").read_text().splitlines()) == 4


def train_elsewhere(directory: Path, positions: Path, settings) -> None:
    import wandb

    positions.write_text(json.dumps(train_and_die(directory, orderly=True, **settings)))
    wandb.teardown()  # as the end of a program does: what is left is written


@pytest.mark.system
def test_the_real_library_writes_one_run_offline_that_openrlbenchmark_can_read(tmp_path):
    assert util.find_spec("wandb"), "pip install wandb"
    directory = tmp_path / "study" / "runs" / "pruning_ratio~0.5" / "seed~0"
    tags = ["first", "second"]
    settings = {"wandb": "offline", "wandb_project": "sparse", "wandb_tags": tags, "wandb_entity": "us"}
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=train_elsewhere, args=(directory, tmp_path / "positions", settings))
    process.start()
    process.join(120)
    assert process.exitcode == 0
    resume(directory, json.loads((tmp_path / "positions").read_text()), **settings)
    import_module("wandb").teardown()
    first, resumed = offline_runs(directory / "wandb")
    known = (directory / "wandb" / "run-id").read_text().strip()
    setting = "study/pruning_ratio~0.5"
    for each in (first, resumed):
        assert (each.run.run_id, each.run.project, each.run.run_group) == (known, "sparse", setting)
        assert (each.run.entity, sorted(each.run.tags)) == ("us", tags)
        assert each.run.display_name == f"{setting}/seed~0"
        assert each.config["env_id"] == "reach-v3+drawer-close-v3+push-v3"
        assert (each.config["exp_name"], each.config["seed"], each.config["method"]) == (setting, 0, "must")
        assert each.axes == {"train/*": "env_steps", "eval/*": "env_steps", "charts/*": "env_steps"}
    assert [row["_step"] for row in first.history] == [1, 2, 3, 4]
    # Uploaded one after the other, the second has all of the run: the steps that were there come again, no other twice.
    rows = {row["_step"]: row for row in resumed.history}
    assert sorted(rows) == [1, 2, 3, 4, 5, 6]
    assert [rows[step]["train/loss"] for step in sorted(rows)] == [0.5 * step for step in range(1, 7)]
    # What openrlbenchmark asks for: rows that have the axis, the time, and the metric.
    asked = [row for row in resumed.history if {"global_step", "_runtime", "charts/episodic_return"} <= row.keys()]
    assert [row["global_step"] for row in asked] == [60, 120, 180]
    assert [row["charts/success_rate"] for row in asked] == [0.25] * 3
    assert [row["charts/episodic_return"] for row in asked] == [20.0] * 3


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/results/quick/runs/pruning_ratio~0/seed~1", "quick/pruning_ratio~0/seed~1"),
        ("/a/runs/b/results/quick/runs/seed~1", "quick/seed~1"),
        ("/runs/one", "one"),
        ("/home/mine", "mine"),
        ("/x/runs/" + "n" * 200, "n" * 128),
    ],
)
def test_a_run_is_named_by_its_path(path, name):
    assert run_name(Path(path)) == name
