import pytest

from tests.support.processes import contents

KINDS = {
    "neuron": [],
    "weight": ["--set", "masks.granularity=weight", "--set", "generator.head=factorised"],
    "dense": ["--pruning-ratio", "0"],
    "normalised": ["--set", "network.layer_norm=true"],
}


FOUR_TASKS = ["reach-v3", "drawer-close-v3", "push-v3", "door-open-v3"]


@pytest.mark.parametrize(
    ("kind", "workers"),
    [
        ("neuron", (1, 2, 4)),
        pytest.param("weight", (1, 3), marks=pytest.mark.slow),
        pytest.param("dense", (2, 4), marks=pytest.mark.slow),
        pytest.param("normalised", (1, 3), marks=pytest.mark.slow),
    ],
)
def test_the_same_seed_gives_the_same_bytes_with_any_number_of_workers(must, config_file, tmp_path, kind, workers):
    # Epochs end in the middle of an episode.
    config = config_file(training={"epoch_frames": 15}, env={"tasks": FOUR_TASKS})
    found = []
    for number in workers:
        must("train", "--config", config, "--out", number, "--n-workers", number, *KINDS[kind])
        found.append(contents(tmp_path / str(number)))
    assert all(other == found[0] for other in found)
    assert len(found[0]["eval.csv"].splitlines()) == 1 + 4
    assert len(found[0]["train.csv"].splitlines()) == 1 + 5


def test_another_seed_gives_another_result(must, config_file, tmp_path):
    config = config_file()
    for seed in (0, 1):
        must("train", "--config", config, "--out", seed, "--seed", seed)
    first, second = contents(tmp_path / "0"), contents(tmp_path / "1")
    assert all(first[name] != second[name] for name in ("eval.csv", "train.csv", "final.pt"))


def test_a_dense_run_does_not_depend_on_the_settings_of_masks(must, config_file, tmp_path):
    """The sweep trains the dense control once for all of them."""
    config = config_file(masks={"pruning_ratio": 0})
    must("train", "--config", config, "--out", "a")
    options = ["--update-interval", 1, "--generator-lr", 0.1, "--use-sl-loss", 0, "--use-trajectory-info", 0]
    must("train", "--config", config, "--out", "b", *options)
    files = ("eval.csv", "train.csv", "masks.csv", "result.json")
    assert contents(tmp_path / "a", files) == contents(tmp_path / "b", files)
