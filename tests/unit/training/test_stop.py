"""Requests to stop, as signals of this very process."""

import os
import signal

import pytest

from must.training.stop import SIGNALS, StopRequested, StopRequests


@pytest.mark.parametrize("number", SIGNALS)
def test_each_signal_asks_to_stop(number):
    before = signal.getsignal(number)
    with StopRequests() as stop:
        with pytest.raises(StopRequested), stop.interrupt():
            os.kill(os.getpid(), number)
        assert stop.received
    assert signal.getsignal(number) == before


def test_a_closed_terminal_means_nothing_to_what_nohup_started():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequests() as stop, stop.interrupt():
            os.kill(os.getpid(), signal.SIGHUP)
        assert not stop.received
    finally:
        signal.signal(signal.SIGHUP, before)
