"""What concerns a whole process, or one of several runs in it."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from must.config import identity
from must.training.device import prepare_process
from must.training.progress import OfThisThread
from must.training.stop import StopRequested, ThreadStop
from must.training.together import FINISHED, Job, train_together
from tests.support.helpers import small_config


def test_another_precision_is_another_run_and_the_default_is_what_there_was():
    usual = identity(small_config())
    assert identity(small_config(training={"matmul_precision": "highest"})) == usual
    assert identity(small_config(training={"matmul_precision": "high"})) != usual


def test_denormal_numbers_are_zero_in_all_threads_of_a_learner_and_its_parameters_are_the_same():
    first, second = torch.rand(2, 1_000_000, generator=torch.Generator().manual_seed(0))

    def adam(threads: int | None) -> tuple[torch.Tensor, int]:
        """Take a step without a gradient; return the parameters, and how many first moments are not zero after it."""
        if threads:
            prepare_process(small_config(training={"threads": threads}).training)
        else:
            torch.set_flush_denormal(False)
        parameters = (first + 0.5).requires_grad_()
        parameters.grad = torch.zeros_like(parameters)
        optimizer = torch.optim.Adam([parameters], fused=True)
        optimizer.step()
        moments = optimizer.state[parameters]
        moments["exp_avg"].fill_(1e-39)
        moments["exp_avg_sq"].copy_(second)
        optimizer.step()
        return parameters.detach(), int(moments["exp_avg"].view(torch.int32).count_nonzero())

    with ThreadPoolExecutor(max_workers=1) as unset:  # a thread of its own, with its own setting
        expected, left = unset.submit(adam, None).result()
    assert left == 1_000_000
    for threads in (1, 2):
        with ThreadPoolExecutor(max_workers=1) as learner:
            parameters, left = learner.submit(adam, threads).result()
        assert left == 0
        assert torch.equal(parameters, expected)
    torch.set_num_threads(1)


def test_runs_that_differ_in_what_a_process_shares_are_not_trained_at_a_time(tmp_path, monkeypatch):
    at_work: list[str] = []
    seen: list[set[str]] = []

    def train(config, *_):
        at_work.append(config.training.matmul_precision)
        for _ in range(20):
            seen.append(set(at_work))
            time.sleep(0.001)
        at_work.remove(config.training.matmul_precision)
        return True

    def job(number: int, precision: str) -> Job:
        config = small_config(training={"matmul_precision": precision})
        return Job(str(number), lambda: config, tmp_path / str(number), tmp_path / f"{number}.log")

    monkeypatch.setattr("must.training.together.train", train)
    jobs = [job(*each) for each in enumerate(["highest", "high", "high", "medium"])]
    assert train_together(jobs, slots=4, keep_old=False) == {str(number): FINISHED for number in range(4)}
    assert {frozenset(each) for each in seen} == {frozenset({each}) for each in ("highest", "high", "medium")}


def test_a_run_in_a_thread_stops_where_it_may():
    stop = ThreadStop(n_workers=1)
    stop.check()
    stop.request()
    stop.check()  # what is going on must not be dropped
    with pytest.raises(StopRequested), stop.interrupt():
        raise AssertionError("it was asked to stop before")
    stop.close()
    stop.request()  # the run has ended meanwhile


def test_a_handler_takes_what_its_thread_logs():
    taken = []

    class Handler(logging.Handler):
        def emit(self, record):
            taken.append(record.getMessage())

    log, handler = logging.getLogger("must"), Handler(logging.WARNING)
    handler.addFilter(OfThisThread())
    log.addHandler(handler)
    log.warning("ours")
    other = threading.Thread(target=lambda: log.warning("theirs"))
    other.start()
    other.join()
    log.removeHandler(handler)
    assert taken == ["ours"]
