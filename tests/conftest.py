"""Every test runs as a training does: one thread, whatever the machine has. And runs of the tests' own making."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a run under nohup ignores it, as these tests would

import pytest  # noqa: E402
import torch  # noqa: E402

from tests.support.run_factory import RunFactory, write_unfinished  # noqa: E402


def pytest_configure(config: pytest.Config) -> None:
    """Keep a Slurm that this machine happens to have away from tests that are not about it.

    Snakemake's plugin asks it at every start, and waits 9 s where its controller is down.
    """
    if config.getoption("markexpr") != "cluster":
        os.environ["SLURM_CONF"] = os.devnull


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def runs(tmp_path: Path) -> RunFactory:
    """A writer of run directories below ``tmp_path/results``."""
    return RunFactory(tmp_path / "results")


@pytest.fixture
def unfinished() -> Callable[[Path, str], None]:
    """Makes a finished run one that ended on the way."""
    return write_unfinished


@pytest.fixture
def root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parents[1]
