"""The composition root: makes everything that a run is made of, and runs it in its directory."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch

from must import versions
from must.algorithms import Agent, make_agent
from must.buffers import ReplayBuffer, Returns
from must.collect import BackgroundEvaluation, Collector, is_on
from must.config import RunConfig, identity, result_settings
from must.files import sha256, write_atomically
from must.live_logs import require_packages
from must.manifest import Manifest, require_container, result_with_this_software
from must.policy_files import write_policy
from must.run_files import CHECKED_LOGS, CHECKPOINTS, FINAL, MANIFEST, MILESTONES, RESULT, SHARED, TEXT_LOG, table
from must.run_log import RunLog
from must.training.checkpoint import Checkpoints
from must.training.device import own_stream, prepare_process, resolve_device
from must.training.directory import claimed
from must.training.progress import RunProgress
from must.training.stop import StopRequested, StopRequests, ThreadStop
from must.training.trainer import Trainer, train_columns

log = logging.getLogger("must")


def train(config: RunConfig, out: Path, keep_old: bool = False, stop: ThreadStop | None = None) -> bool:
    """Train in a directory, going on from its checkpoint where it has one.

    Args:
        config: The run's settings.
        out: The run directory.
        keep_old: Move a run of another configuration aside instead of refusing.
        stop: Asks the run to stop, where it is one of several in this process; by default signals do.

    Returns:
        Whether the run is finished (it may have been before). When not, it was asked to stop, and goes on from its
        checkpoint when it is started again.

    Raises:
        MustError: What the user can mend.
    """
    require_container(config)
    require_packages(config.logging)
    device = resolve_device(config.training.device)
    with claimed(out, config, keep_old):
        if (out / RESULT).exists() or _finish_again(out):
            return True
        prepare_process(config.training)
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
        manifest = Manifest(out / MANIFEST, config.training.seed, name, config.training.threads)
        try:
            with own_stream(device):
                finished = _train(config, out, device, manifest, stop or StopRequests())
        except BaseException as error:
            with suppress(OSError):  # the disk may be what failed
                manifest.close("failed", str(error) or type(error).__name__)
            raise
        return finished


def _train(
    config: RunConfig, out: Path, device: torch.device, manifest: Manifest, requests: StopRequests | ThreadStop
) -> bool:
    agent = make_agent(config, device)
    replay = ReplayBuffer(agent.n_tasks, config.sac.buffer_size, device, Returns.of(config))
    checkpoints = Checkpoints(out / CHECKPOINTS, identity(config))
    shared = requests if isinstance(requests, ThreadStop) else None
    with (
        requests as stop,
        Collector(config, interruption=shared) as collector,
        BackgroundEvaluation(config, shared) as background,
    ):
        saved = checkpoints.load(replay)
        last_epoch = config.training.pretrain_epochs + config.training.epochs
        done = 0 if saved is None else saved["trainer"]["epoch"]
        with RunProgress(out / TEXT_LOG, last_epoch, done, on_screen=shared is None) as progress:
            run_log = _open_logs(config, out, train_columns(config, agent), saved)
            beside = background if is_on(config, device.type) else None
            trainer = Trainer(config, agent, replay, collector, run_log, beside, shared.check if shared else None)
            if saved is not None:
                trainer.restore(saved["trainer"])
            manifest.goes_on(trainer.epoch)
            log.info("training from epoch %d to %d in %s", trainer.epoch, trainer.last_epoch, out)
            if words := versions.warning():
                log.warning(words)
            save_every = 60 * config.training.checkpoint_minutes
            keep = kept_by(config, out, agent, trainer.epoch)
            finished = _run_epochs(trainer, replay, run_log, checkpoints, stop, progress, save_every, keep)
            run_log.sync()
            run_log.close()
            if finished:  # still with the stop requests caught: one that comes now is too late
                final = {"config": result_settings(config), **agent.final_state()}
                write_atomically(out / FINAL, lambda file: torch.save(final, file))
                result = _result(config, out, trainer, agent)
                manifest.close("finished", result={**result, "final_sha256": sha256(out / FINAL)})
                _write_result(out, result)
                log.info("finished: %s", out / RESULT)
            else:
                manifest.close("interrupted")
                log.info("stopped on request; the same command goes on from here")
    return finished


def _open_logs(config: RunConfig, out: Path, columns: list[str], saved: dict[str, Any] | None) -> RunLog:
    if saved is None:
        return RunLog(out, config, columns, None, None)
    steps = saved["trainer"]["epoch"] * config.training.epoch_frames * len(config.env.task_names)
    return RunLog(out, config, columns, saved["logs"], steps)


def kept_by(config: RunConfig, out: Path, agent: Agent, start: int) -> Callable[[int], None]:
    """Return what keeps the policy after the epochs that `TrainingConfig.keep_policies` asks for.

    It is on the disk before a checkpoint of a later epoch is, so that no interruption can leave it out.
    """
    milestones = config.training.milestones
    for name, epoch in milestones.items():
        if epoch < start and not (out / MILESTONES / name / SHARED).exists():
            log.warning("training.keep_policies: %s is past: this run goes on from epoch %d", name, start)

    def keep(epoch: int) -> None:
        for name, due in milestones.items():
            if epoch == due:
                write_policy(out / MILESTONES / name, config, agent.final_state())

    return keep


class _Before(NamedTuple):
    """What there was before an epoch, for a checkpoint."""

    state: dict[str, Any]
    rows: int
    """Rows that the replay buffer was ever given for each task."""

    @staticmethod
    def take(trainer: Trainer, run_log: RunLog, replay: ReplayBuffer) -> _Before:
        """Return what there is now, before the next epoch."""
        return _Before({"trainer": trainer.snapshot(), "logs": run_log.positions()}, replay.added)


def _run_epochs(
    trainer: Trainer,
    replay: ReplayBuffer,
    run_log: RunLog,
    checkpoints: Checkpoints,
    stop: StopRequests | ThreadStop,
    progress: RunProgress,
    save_every: float,
    keep: Callable[[int], None],
) -> bool:
    """Run the epochs that are left, with checkpoints; return whether all are done.

    A request to stop drops the epoch in progress, however long it would have taken, and saves what was before it; so
    does an error.
    """
    steps_before, last_save = trainer.env_steps, time.monotonic()

    def save() -> None:
        run_log.sync()
        epoch = before.state["trainer"]["epoch"]
        checkpoints.save(epoch, before.state, replay)
        log.info("checkpoint at epoch %d", epoch)

    try:
        with stop.interrupt():
            trainer.begin()
    except StopRequested:
        return False  # nothing has been learned yet
    keep(trainer.epoch)  # a checkpoint may be all that is left of a run
    before = _Before.take(trainer, run_log, replay)
    while trainer.epoch < trainer.last_epoch:
        due = time.monotonic() - last_save >= save_every
        if due or stop.received:
            save()
            last_save = time.monotonic()
        if stop.received:
            return False
        try:
            with stop.interrupt():
                trainer.run_epoch()
            keep(trainer.epoch)
            # The workers are asked for their part of it: one that died while the learner learned is noticed here.
            following = _Before.take(trainer, run_log, replay)
        except StopRequested:
            replay.go_back(before.rows)
            save()
            return False
        except Exception:
            replay.go_back(before.rows)
            with suppress(OSError):  # the disk may be what failed: then the checkpoint before is the newest
                save()
            raise
        before = following
        assert trainer.result is not None
        progress.report(trainer.epoch, float(trainer.result.success.mean()), trainer.env_steps, steps_before)
    return True


def _result(config: RunConfig, out: Path, trainer: Trainer, agent: Agent) -> dict[str, Any]:
    assert trainer.result is not None
    success = trainer.result.success.tolist()
    return {
        "epochs": trainer.epoch,
        "env_steps": trainer.env_steps,
        "mean_success": sum(success) / len(success),
        "success": dict(zip(config.env.task_names, success, strict=True)),
        "sizes": agent.sizes(),
        "sha256": {name: sha256(out / name) for name in map(table, CHECKED_LOGS)},
    }


def _write_result(out: Path, result: dict[str, Any]) -> None:
    """Write ``result.json``, which says that the run is finished and needs its checkpoints no more."""
    text = json.dumps(result, indent=2) + "\n"
    write_atomically(out / RESULT, lambda file: file.write(text.encode()))
    shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)


def _finish_again(out: Path) -> bool:
    """Write ``result.json`` anew if the run was finished with this very software; return whether it was.

    A cluster may count a job as failed that had just finished its run (at its walltime, say), and the workflow then
    deletes the one file that it knows.
    """
    result = result_with_this_software(out / MANIFEST)
    if result is None:
        return False
    digests = {FINAL: result.pop("final_sha256"), **result["sha256"]}
    if not all((out / name).is_file() and sha256(out / name) == digest for name, digest in digests.items()):
        return False
    _write_result(out, result)
    return True
