"""What is written in a file is what is read, or an error that names the line."""

from pathlib import Path

import pytest
import yaml

from must.config import load_experiment, parse_experiment
from must.config.yaml_text import parse_yaml, read_yaml, write_yaml
from must.errors import ConfigError
from tests.support.helpers import ROOT

MT10 = {"env": {"benchmark": "MT10"}}


@pytest.mark.parametrize(
    ("text", "line", "name"),
    [
        ("training: {epochs: 2}\nenv: {}\ntraining: {seed: 1}\n", 3, "training"),
        ("sac:\n  lr: 1\n  tau: 2\n  lr: 3\n", 4, "sac.lr"),
        ("sweep:\n  variants:\n    a: {x: 1}\n    'a': {x: 2}\n", 4, "sweep.variants.a"),
        ("a:\n- b: 1\n- c: 1\n  c: 2\n", 4, "a[1].c"),
        ("base: &base {x: 1}\na:\n  <<: *base\n  <<: *base\n", 4, "a.<<"),
        ("{1: a, 0x1: b}\n", 1, "0x1"),
    ],
)
def test_a_key_that_is_there_twice_is_refused_with_its_line(text, line, name):
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "file.yaml")
    assert str(caught.value).startswith(f"file.yaml: line {line}: '{name}' ")


def test_anchors_and_merge_keys_work_and_own_keys_win():
    text = "top: {<<: &mid {<<: &base {x: 0, y: 4}, x: 2}, z: 3}\nmid: *mid\nlist: {<<: [*mid, *base], z: 1}\n"
    assert parse_yaml(text, "file.yaml") == {
        "top": {"x": 2, "y": 4, "z": 3},
        "mid": {"x": 2, "y": 4},
        "list": {"x": 2, "y": 4, "z": 1},
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", 10),
        ("0o17", 15),
        ("0x1f", 31),
        ("+3", 3),
        ("1_000_000", 1_000_000),
        ("1_000.5", 1000.5),
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("true", True),
        ("null", None),
        ("~", None),
        ("1:30", "1:30"),
        ("0b101", "0b101"),
        ("1__0", "1__0"),
        ("1_", "1_"),
        ("yes", "yes"),
        ("off", "off"),
        ("2001-01-01", "2001-01-01"),
        ("=", "="),
    ],
)
def test_plain_values_are_those_of_yaml_1_2(text, value):
    read = parse_yaml(f"key: {text}", "file.yaml")["key"]
    assert (read, type(read)) == (value, type(value))


def test_there_is_one_zero():
    assert str(parse_yaml("-0.0", "file.yaml")) == "0.0"
    experiment = parse_experiment({**MT10, "sweep": {"pruning_ratios": [-0.0, 0.5], "seeds": [0]}})
    assert experiment.runs()[0].path == "pruning_ratio~0/update_interval~na/seed~0"


@pytest.mark.parametrize(
    "text",
    [
        "a: .nan",
        "a: [.inf, -.INF]",
        "a: 1e999",
        "a: !!float nan",
        "a: !!int 1:30",
        "a: !!bool yes",
        "a: " + "1" * 5000,
        "a: !!timestamp nonsense",
        "a: !!python/object/apply:os.getcwd []",
        "a: &x [*x]",
        "? [1]\n: 2",
        "---\na: 1\n---\na: 2\n",
        "a: [",
        "a: b: c",
        "a: \x07",
        "[" * 200_000,
        "- " * 200_000,
    ],
    ids=lambda text: text[:20],
)
def test_what_cannot_be_meant_is_refused_in_one_line(text):
    with pytest.raises(ConfigError, match=r"^file\.yaml: line \d+: ") as caught:
        parse_yaml(text, "file.yaml")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"name: a\nenv: caf\xe9\n", "line 2: cannot be read: byte 0xe9 is not UTF-8"),
        ("name: é\n".encode("utf-16"), "line 1"),
        (b"env:\n\tbenchmark: MT10\n", "line 2: is not valid YAML"),
        (b"", "found nothing"),
        (b"# nothing\n", "found nothing"),
        (b"env\n", "found 'env'"),
    ],
)
def test_a_file_that_is_no_experiment_is_named_with_the_line(tmp_path, content, expected):
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_experiment(path)
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_what_is_no_file_is_named(tmp_path):
    (tmp_path / "link.yaml").symlink_to("nowhere")
    for path in (tmp_path, tmp_path / "no.yaml", tmp_path / "link.yaml", tmp_path / ("n" * 300), Path("\0")):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_yaml(path)


def test_a_mark_at_the_start_of_the_file_does_no_harm(tmp_path):
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfenv: {benchmark: MT10}\n")
    assert load_experiment(path).env.benchmark == "MT10"


def test_text_that_looks_like_a_number_is_written_so_that_it_stays_text():
    data = {"texts": ["1e3", "0o17", "010", "off", "1_000", "null", "<<", "1:30"], "numbers": [1e-5, 1000, 0.5]}
    assert parse_yaml(write_yaml(data), "text") == data
    assert yaml.safe_load(write_yaml(data)) == data


def test_the_files_of_this_repository_say_what_they_said():
    paths = [*ROOT.glob("config/**/*.yaml"), *ROOT.glob("results/reference/**/config.yaml")]
    assert len(paths) > 10
    for path in paths:
        assert read_yaml(path) == yaml.safe_load(path.read_text(encoding="utf-8")), path


def test_options_are_read_like_files():
    assert parse_experiment(MT10, {"training.seed": "010"}).training.seed == 10
    for key, value in (("training", "{seed: 1, seed: 2}"), ("training.seed", "1:30"), ("env.tasks", "caf\udce9")):
        with pytest.raises(ConfigError, match=rf"{key}"):
            parse_experiment(MT10, {key: value})
    with pytest.raises(ConfigError, match=r"masks\.fade: write true or false"):
        parse_experiment(MT10, {"masks.fade": "yes"})
