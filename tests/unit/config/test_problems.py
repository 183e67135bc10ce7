"""What is wrong with a configuration is told in plain words, with what to write instead."""

from copy import deepcopy

import pytest

from must.config import load_sweep, parse_experiment
from must.config.axes import run_keys
from must.config.experiment import Experiment
from must.errors import ConfigError
from must.sections import section_of
from tests.support.helpers import SMALL

WRONG = (None, True, -1, 0, 1.5, 2, 10**30, "", "a b", "/", "x" * 200, [], [[]], [None], ["a b"], [-1], {}, {1: 2})
"""Values of which each key takes a few at most."""
OTHER_KEYS = [
    f"{name}.{key}"
    for name in ("sweep", "report", "resources")
    if (section := section_of(Experiment.model_fields[name]))
    for key in section.model_fields
]
TOP = [*Experiment.model_fields, "sweep.variants.a", "sweep.grid.sac.lr", "sweep.fewer_seeds.a"]


def told(data):
    with pytest.raises(ConfigError) as caught:
        parse_experiment(data, source="file.yaml")
    return str(caught.value)


def with_value(path, value):
    """The small experiment with a value at a dotted key."""
    data = deepcopy(SMALL)
    if path == "sweep.grid.sac.lr":
        return data | {"sweep": {"grid": {"sac.lr": value}}}
    *above, key = path.split(".")
    inner = data
    for name in above:
        inner = inner.setdefault(name, {})
    inner[key] = value
    return data


@pytest.mark.parametrize("path", [*run_keys(), *OTHER_KEYS, *TOP])
def test_no_value_of_any_key_is_refused_in_words_of_a_library(path):
    for value in WRONG:
        try:
            parse_experiment(with_value(path, value), source="file.yaml")
        except ConfigError as error:
            for line in str(error).splitlines():
                assert line.startswith("file.yaml: ")
                assert [word for word in ("nput", "should", "valid", "None", "Field", "[key]") if word in line] == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("masks.pruning_ratio", 1.5, "masks.pruning_ratio: use at least 0 and less than 1 (found 1.5)"),
        ("sac.lr", 0, "sac.lr: use more than 0 (found 0)"),
        ("sac.tau", "half", "sac.tau: use a number, more than 0 and at most 1 (found 'half')"),
        ("sac.target_entropy", True, "sac.target_entropy: use a number (found true)"),
        ("sac.q_clip", float("nan"), "sac.q_clip: use a finite number, more than 0 (found nan)"),
        ("training.epochs", 1.5, "training.epochs: use a whole number, 1 or more (found 1.5)"),
        ("training.seed", -1, "training.seed: use 0 or more (found -1)"),
        ("evaluation.episodes", 51, "evaluation.episodes: use 1 to 50 (found 51)"),
        ("masks.fade", "maybe", "masks.fade: write true or false (found 'maybe')"),
        ("masks.update", "apartt", "masks.update: use 'apart' or 'joint' (found 'apartt'); did you mean 'apart'?"),
        ("resources.one_process", 3, "resources.one_process: use 'auto', true or false (found 3)"),
        ("network.hidden_sizes", 400, "network.hidden_sizes: write a list, such as [400] (found 400)"),
        ("network.hidden_sizes", [], "network.hidden_sizes: list at least one value (found [])"),
        ("network.hidden_sizes", [400, 0], "network.hidden_sizes, item 2: use 1 or more (found 0)"),
        (
            "sweep.pruning_ratios",
            [0, 0.5, 1],
            "sweep.pruning_ratios, item 3: use at least 0 and less than 1 (found 1)",
        ),
        ("sweep.variants", {}, "sweep.variants: write at least one, or remove it"),
        ("sweep.variants", {1: {}}, "sweep.variants.1: write text, in quotes: '1' (found 1)"),
        ("report", {1: 2}, "report.1: unknown key; known here: final_evaluations, success_rate"),
        ("sweep.variants", ["a"], "write keys below it, such as static: {method: static_sparse} (found [a])"),
        ("sweep.variants.a", 3, "sweep.variants.a: write keys below it, such as sac.lr: 1e-4 (found 3)"),
        ("env", "MT10", "env: write keys below it, such as benchmark: MT10 (found 'MT10')"),
        ("sac", None, "sac: write keys below it, such as lr: 0.0003, or remove it (found nothing)"),
        ("sac.lr", {"a": 1}, "sac.lr: use a number, more than 0 (found keys below it)"),
        ("env.tasks", [3], "env.tasks, item 1: write text, in quotes: '3' (found 3)"),
        ("name", "my study", "name: use letters, digits, - and _, the first of them a letter or a digit (found 'my st"),
        ("logging.wandb_project", "a/b", r"logging.wandb_project: use none of / \ # ? % : and do not begin with a"),
        ("logging.wandb_entity", "", "logging.wandb_entity: write at least one character, or remove it (found '')"),
        ("logging.wandb_group", "x" * 129, "logging.wandb_group: write at most 128 characters (found 'xxx"),
    ],
    ids=str,
)
def test_a_value_that_cannot_be_is_told_with_what_can(path, value, message):
    assert message in told(with_value(path, value))


def test_what_must_be_there_is_told_with_an_example():
    line = "file.yaml: env is missing: name the tasks, such as env: {benchmark: MT10}"
    assert told({"training": {"seed": 0}}) == line


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("sac.gama", "'gamma'"),
        ("masks.ratio", "'pruning_ratio'"),
        ("masks.scale", "'gumbel_scale'"),
        ("sweep.pruning_ratio", "'pruning_ratios'"),
        ("training.epoch", "'epochs'"),
        ("masks.gamma", "'sac.gamma'"),
        ("gamma", "'sac.gamma'"),
        ("Seed", "'training.seed'"),
        ("tasks", "'env.tasks'"),
        ("ratio", "'masks.pruning_ratio'"),
        ("lr", "'sac.lr' or 'generator.lr' or 'famo.lr'"),
        ("envv", "'env'"),
    ],
)
def test_an_unknown_key_is_told_with_the_one_that_is_meant(path, meant):
    assert told(with_value(path, 1)) == f"file.yaml: {path}: unknown key; did you mean {meant}?"


def test_of_a_key_like_no_other_the_known_ones_are_listed():
    assert told(with_value("report.x", 1)).endswith("unknown key; known here: final_evaluations, success_rate")


TEXT = """\
name: mine
base: &base
  lr: 0
env:
  n_tasks: 20
  benchmark: MT10
sac:
  <<: *base
  gamma: 1
network:
  hidden_sizes: [4,
    0]
sweep: {seeds: [0],
  grid: {sac.tau: 1}}
"""
OF_RUNS = """\
env: {benchmark: MT10}
sweep:
  variants:
    b.2:
      sac.gamma: 2
    c: {network.hidden_sizes: [3, 0]}
    d:
      generator.rank: 3
  grid:
    sac.tau: [0.1, 3]
"""
UNREAD = """\
env: {benchmark: MT10}
training:
  seed: 5
sweep: {seeds: [0]}
"""
UNKNOWN = """\
env: {benchmark: MT10}
sweep:
  grid:
    env.tau: [1]
  variants:
    a.1: {}
    b.2:
      sac.gama: 2
"""
TWINS = """\
env: {benchmark: MT10}
sweep:
  variants: {a: {}, b: {}}
"""


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (TEXT, {2: "base", 3: "sac.lr", 4: "env", 9: "sac.gamma", 12: "network.hidden_sizes, item 2"}),
        (TEXT, {14: "sweep.grid.sac.tau"}),
        (
            OF_RUNS,
            {
                5: "sweep.variants.b.2.sac.gamma",
                6: "sweep.variants.c.network.hidden_sizes, item 2",
                7: "sweep.variants.d",
                10: "sweep.grid.sac.tau",
            },
        ),
        (UNREAD, {3: "training.seed"}),
        (UNKNOWN, {4: "sweep.grid.env.tau", 8: "sweep.variants.b.2.sac.gama"}),
        (TWINS, {3: "sweep.variants"}),
        ("sac: {lr: 1}\n", {None: "env is missing"}),
    ],
)
def test_the_line_of_a_file_is_told(tmp_path, text, places):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_sweep(path)
    lines = str(caught.value).splitlines()
    for number, place in places.items():
        begin = f"{path}: " if number is None else f"{path}: line {number}: "
        assert [line for line in lines if line.startswith(f"{begin}{place}: ")]
