"""Training and evaluation draw nothing: no OpenGL library, and no wrong choice of one, is in their way."""

import os

import pytest

from must.config import load_experiment
from must.training import train
from tests.support.processes import contents


@pytest.fixture
def no_library(tmp_path, monkeypatch):
    """What MuJoCo finds when OSMesa and EGL are asked for on a machine that has neither."""
    fake = tmp_path / "fake" / "OpenGL"
    fake.mkdir(parents=True)
    (fake / "__init__.py").write_text("raise AttributeError(\"'NoneType' object has no attribute 'glGetError'\")")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(fake.parent), os.environ.get("PYTHONPATH", "")]))


@pytest.mark.slow
def test_training_and_evaluation_do_not_care(must, config_file, tmp_path, monkeypatch, no_library):
    config = config_file(training={"epochs": 2})
    assert train(load_experiment(config).run_config(), tmp_path / "plain")
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    must("train", "--config", config, "--out", "run")
    assert contents(tmp_path / "run") == contents(tmp_path / "plain")
    evaluated = must("evaluate", "run", "--episodes", 1)
    assert "reach-v3" in evaluated.stdout
    render = must("render", "run", "--task", "reach-v3", "--out", "clip.gif", check=2)
    assert render.stderr.startswith("must: MUJOCO_GL=osmesa: cannot draw")
    assert "unset it" in render.stderr
    assert len(render.stderr.splitlines()) == 1
