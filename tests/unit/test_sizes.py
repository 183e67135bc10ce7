from must.cli import main
from must.config import METHODS, parse_experiment
from must.sizes import COLUMNS, sizes
from tests.support.helpers import SMALL, merged

SWEEP = {
    "seeds": [0, 1],
    "methods": list(METHODS),
    "magnitude_networks": ["actor", "both"],
    "pruning_ratios": [0.5, 0.8],
    "update_intervals": [2],
}


def test_every_setting_is_counted_once_whatever_the_seeds():
    rows = dict(sizes(parse_experiment(merged(SMALL, {"sweep": SWEEP}))))
    assert len(rows) == 4 * 2 + 1 * 2 * 2 + len(METHODS) - 5  # with two ratios; with two networks besides; the others
    assert all(len(numbers) == len(COLUMNS) for numbers in rows.values())
    dense, shared = rows["mt_sac"], rows["shared_sparse, pruning_ratio 0.8"]
    assert dense[0] == dense[1] == shared[0] > shared[1]
    assert dense[5] == dense[0] + 2 * dense[2]
    assert rows["single_task"][0] == 3 * rows["single_task"][1]


def test_the_command_prints_them(tmp_path, capsys):
    import yaml

    path = tmp_path / "experiment.yaml"
    path.write_text(yaml.safe_dump(merged(SMALL, {"sweep": SWEEP})))
    assert main(["sizes", "--config", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "magnitude, networks both, pruning_ratio 0.8" in printed
    assert "FLOPs per action" in printed.splitlines()[0]
