"""The device that is held against the CPU: a GPU with `make test-gpu`, and the CPU itself everywhere else."""

import os

import pytest
import torch

from must.errors import ConfigError
from must.training import resolve_device

VARIABLE = "MUST_TEST_DEVICE"


@pytest.fixture(scope="session")
def device() -> torch.device:
    """The device that `MUST_TEST_DEVICE` names. Where there is none of it nothing is tested, which is an error."""
    try:
        return resolve_device(os.environ.get(VARIABLE, "cpu"))
    except ConfigError:
        build = f"torch {torch.__version__} is built for CUDA {torch.version.cuda}"
        if torch.version.cuda is None:
            build = f"torch {torch.__version__} is built without CUDA: make setup FLAVOUR=cuda"
        pytest.exit(
            f"{VARIABLE}=cuda: torch sees no NVIDIA GPU; {build}. nvidia-smi says whether there is a GPU and a driver",
            returncode=2,
        )
