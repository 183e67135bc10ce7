"""A mistake in an option is told as one of the option, not of the file that it changes."""

import pytest
import yaml

from must.cli import main
from must.config import load_experiment
from must.errors import ConfigError
from tests.support.helpers import SMALL


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    return path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--pruning-ratio 1.5", "--pruning-ratio 1.5: use at least 0 and less than 1"),
        ("--set masks.pruning_ratio=1.5", "--set masks.pruning_ratio=1.5: use at least 0 and less than 1"),
        ("--seed x --method must", "--seed x: use a whole number, 0 or more"),
        ("--seed [", "--seed [: line 2: is not valid YAML"),
        ("--set sac.gama=1", "--set sac.gama=1: unknown key; did you mean 'sac.gamma'?"),
        ("--set gamma=0.9", "--set gamma=0.9: unknown key; did you mean 'sac.gamma'?"),
        ("--set mask.pruning_ratio=1", "--set mask.pruning_ratio=1: unknown key; did you mean 'masks.pruning_ratio'?"),
        ("--set sac={gama}", "--set sac={gama}: gama: unknown key; did you mean 'gamma'?"),
        ("--set sac=1", "--set sac=1: write keys below it, such as lr: 0.0003\n"),
        ("--set network.hidden_sizes=[5,0]", "--set network.hidden_sizes=[5,0]: item 2: use 1 or more (found 0)"),
        ("--set sac.lr.b=1", "--set sac.lr.b=1: 'lr' is a value, not a section; end the key with it"),
        ("--set method.b=1", "--set method.b=1: 'method' is a value, not a section; end the key with it"),
        ("--set env.horizon.b=1", "--set env.horizon.b=1: 'horizon' is a value, not a section; end the key with it"),
        ("--set env=null", "--set env=null: write keys below it, such as benchmark: MT10\n"),
    ],
)
def test_what_an_option_says(small, capsys, options, message):
    assert main(["train", "--config", str(small), "--out", str(small.parent / "run"), *options.split()]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert str(small) not in told


@pytest.mark.parametrize(
    ("overrides", "blamed"),
    [
        ({"training.seed": "1", "env.n_tasks": "4"}, " with --set env.n_tasks=4: env: n_tasks is 4"),
        (
            {"env.tasks": "null", "training.seed": "1", "env.benchmark": "MT10", "env.n_tasks": "11"},
            " with --set env.tasks=null --set env.benchmark=MT10 --set env.n_tasks=11: env: n_tasks is 11",
        ),
        ({"generator.head": "dense"}, " with --set generator.head=dense: generator.head is read with"),
        ({"sac.buffer_size": "1", "training.seed": "1"}, " with --set sac.buffer_size=1: sac.buffer_size = 1 leaves"),
    ],
)
def test_what_options_say_together_with_the_file(small, overrides, blamed):
    with pytest.raises(ConfigError) as caught:
        load_experiment(small, overrides)
    assert str(caught.value).startswith(f"{small}{blamed}")


def test_a_mistake_of_the_file_is_not_one_of_the_options(small):
    small.write_text("env: {benchmark: MT10}\nsac:\n  lr: -1\ntraining: {epochs: 0}\n")
    with pytest.raises(ConfigError) as caught:
        load_experiment(small, {"training.seed": "1", "training.epochs": "x"})
    assert str(caught.value).splitlines() == [
        f"{small}: line 3: sac.lr: use more than 0 (found -1)",
        "--set training.epochs=x: use a whole number, 1 or more",
    ]
