"""Who may write to a run directory."""

import fcntl

import pytest

from must.config import load_experiment
from must.errors import RunDirectoryError
from must.locks import LOCK
from must.run_files import CONFIG
from must.training.directory import claimed
from tests.support.helpers import small_config


def claim(directory, **sections):
    with claimed(directory, small_config(**sections), keep_old=True):
        return load_experiment(directory / CONFIG).run_config()


def test_a_run_that_is_being_trained_is_not_moved_aside(tmp_path):
    directory = tmp_path / "run"
    before = claim(directory)
    with (directory / LOCK).open("r+") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(RunDirectoryError, match="another process"):
            claim(directory, sac={"gamma": 0.9})
        assert [path.name for path in tmp_path.iterdir()] == ["run"]
        assert load_experiment(directory / CONFIG).run_config() == before
    after = claim(directory, sac={"gamma": 0.9})
    assert after.sac.gamma == 0.9
    (aside,) = tmp_path.glob("run.*")
    assert load_experiment(aside / CONFIG).run_config() == before
