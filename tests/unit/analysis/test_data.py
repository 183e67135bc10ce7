"""The tidy data: one observation a row, the numbers of the logs, and columns that are documented."""

import csv
import re
import runpy
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import must
from must.analysis import aggregate
from must.data.tidy import MASK_SETS
from must.errors import ResultsError
from tests.support.helpers import ROOT
from tests.support.reading import by_hand

EXAMPLES = ROOT / "docs" / "examples"
EXAMPLE = EXAMPLES / "own_figure.py"


def load(runs, experiment):
    aggregate(experiment, runs.results)
    return must.load(runs.results / experiment.name)


def test_evaluations_are_those_of_the_logs_and_runs_say_what_came_of_them(runs, unfinished):
    experiment = runs.experiment()
    directories = runs.write_all(experiment, by_hand)
    unfinished(directories[1], "failed")
    data = load(runs, experiment)
    assert data.runs["status"].tolist() == ["finished", "incomplete", "finished", "finished"]
    assert data.runs["setting"].tolist() == ["MT-SAC, ratio 0"] * 2 + ["MUST, ratio 0.5"] * 2
    np.testing.assert_allclose(data.runs["final_success"], [0.5, np.nan, 0.8, 0.9])
    np.testing.assert_allclose(data.runs["best_success"], [0.7, np.nan, 0.8, 0.9])
    np.testing.assert_allclose(data.runs["area_under_curve"], [(0 + 0.7 + 0.7 + 0.5) / 4, np.nan, 0.35, 0.375])
    assert set(data.evaluations["run"]) == {0, 2, 3}
    for run, rows in data.evaluations.groupby("run"):
        wide = rows.pivot_table(index="epoch", columns="task", values="success")[["reach-v3", "door-open-v3"]]
        config = type("Config", (), {})  # what `by_hand` reads
        config.masks, config.training = type("Masks", (), {}), type("Training", (), {})
        config.masks.pruning_ratio, config.training.seed = data.runs.loc[run, ["pruning_ratio", "seed"]]
        np.testing.assert_allclose(wide, by_hand(None, config))
    assert data.evaluations["env_steps"].unique().tolist() == [3000, 10500, 18000]
    # Twenty epochs of three seconds, then of seven, and eleven in each tenth.
    assert data.evaluations["seconds"].unique().tolist() == [0, 60 + 30 * 7 + 3 * 4, 60 + 80 * 7 + 8 * 4]
    assert data.evaluations["cpu_seconds"].isna().all()


def test_the_same_logs_give_the_same_bytes_and_success_has_the_digits_of_the_log(runs):
    experiment = runs.experiment()
    directory = runs.write_all(experiment)[0]
    first = {path.name: path.read_bytes() for path in aggregate(experiment, runs.results)}
    assert first == {path.name: path.read_bytes() for path in aggregate(experiment, runs.results)}
    with (directory / "eval.csv").open() as file:
        logged = [row["success/reach-v3"] for row in csv.DictReader(file)]
    with (runs.results / "fake" / "data" / "evaluations.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if (row["run"], row["task"]) == ("0", "reach-v3")]
    assert [row["success"] for row in rows] == logged


def test_other_methods_columns_are_empty_and_times_stand_beside_their_epochs(runs):
    experiment = runs.experiment()
    other = runs.write_all(experiment)[0]
    lines = (other / "timing.csv").read_text().splitlines()
    (other / "timing.csv").write_text("".join(f"{line},{'cpu_s' if i == 0 else i}\n" for i, line in enumerate(lines)))
    data = load(runs, experiment)
    first = data.training[data.training["run"] == 0]
    assert first["cpu_s"].tolist() == first["epoch"].tolist()
    assert data.training.loc[data.training["run"] == 1, "cpu_s"].isna().all()
    last = data.evaluations[data.evaluations["run"] == 0].iloc[-1]
    assert last["cpu_seconds"] == sum(range(1, 101))


def test_of_many_mask_sets_the_first_the_last_and_some_between_are_kept(runs):
    experiment = runs.experiment()
    directory = runs.write_all(experiment)[-1]
    rows = [f"{10 * version},{version},policy,reach-v3,door-open-v3,0.5" for version in range(100)]
    (directory / "masks.csv").write_text("\n".join(["epoch,version,network,task_a,task_b,overlap", *rows]) + "\n")
    runs.rewrite_checksums(directory)
    masks = load(runs, experiment).masks
    versions = masks.loc[masks["run"] == 3, "version"].tolist()
    assert len(versions) == MASK_SETS
    assert (versions[0], versions[-1]) == (0, 99)
    assert max(np.diff(versions)) <= 10


def test_every_column_is_documented_and_every_documented_one_is_there():
    sections = re.split(r"^## (\w+)\.csv$", (ROOT / "docs" / "data.md").read_text(), flags=re.MULTILINE)[1:]
    documented = {
        name: {
            column
            for cell in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
            for column in re.findall("`(.*?)`", cell)
        }
        for name, text in zip(sections[::2], sections[1::2], strict=True)
    }
    shipped = must.load(ROOT / "results" / "reference" / "quick")
    for name, columns in documented.items():
        found = {re.sub("^temperature/.*", "temperature/<task>", column) for column in getattr(shipped, name)}
        assert found == columns, name
    assert set(documented) == {"runs", "evaluations", "masks", "training"}


@pytest.mark.parametrize("content", [None, b"", b"a,b\n1,2,3\n\xff"])
def test_data_that_is_not_there_or_damaged_is_named(runs, content):
    experiment = runs.experiment()
    runs.write_all(experiment)
    aggregate(experiment, runs.results)
    path = runs.results / "fake" / "data" / "masks.csv"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ResultsError, match=rf"{path}: .*must aggregate") as caught:
        must.load(path.parent.parent)
    assert len(str(caught.value).splitlines()) == 1


def test_the_example_makes_a_figure(tmp_path, monkeypatch):
    out = tmp_path / "own.pdf"
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), str(ROOT / "results" / "reference" / "quick"), str(out)])
    runpy.run_path(str(EXAMPLE))
    assert out.read_bytes().startswith(b"%PDF")


def test_the_example_prints_the_differences_that_the_readme_states(monkeypatch, capsys):
    example = EXAMPLES / "learned_against_static.py"
    monkeypatch.setattr(sys, "argv", [str(example), str(ROOT / "results" / "reference" / "reference")])
    runpy.run_path(str(example))
    often, _, seldom, _ = capsys.readouterr().out.splitlines()
    assert often.endswith("every 15 epochs: +0.07 [0.03, 0.11], P(better) 0.56 [0.48, 0.65]")
    assert seldom.endswith("every 45 epochs: +0.03 [0.00, 0.06], P(better) 0.54 [0.46, 0.61]")
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "0.07 [0.03, 0.11] with seven renewals, in every seed, and 0.03 [0.00, 0.06] with two" in readme
    assert "it is not shown: 0.56 [0.48, 0.65] over the four combinations" in readme


def test_the_example_prints_what_settings_reach_in_equal_cpu_time(monkeypatch, capsys):
    example, directory = EXAMPLES / "success_at_cpu_time.py", ROOT / "results" / "reference" / "reference"
    monkeypatch.setattr(sys, "argv", [str(example), str(directory), "1.2", "5"])
    runpy.run_path(str(example))
    processors, _, _, *rows = capsys.readouterr().out.splitlines()
    (weight,) = (row for row in rows if row.startswith("| Static sparse, weight, ratio 0.8 |"))
    assert processors == "processors: AMD EPYC (family 26, model 2); commits: 8e1cd48471ad, 90043cbacd6f"
    reached = []
    for run in sorted((directory / "runs").glob("method~static_sparse/granularity~weight/pruning_ratio~0.8/*/seed~*")):
        evaluated, timed = pd.read_csv(run / "eval.csv"), pd.read_csv(run / "timing.csv")
        taken = np.interp(evaluated.epoch, [0, *timed.epoch], [0, *timed.cpu_s.cumsum()])
        reached.append(np.interp(1.2 * 60, taken, evaluated.mean_success))
    assert len(reached) == 5
    assert weight.startswith(f"| Static sparse, weight, ratio 0.8 | {np.mean(reached):.2f} [")
    assert weight.endswith(" | - |")


def test_the_example_has_dashes_for_settings_whose_runs_did_not_log_cpu_time(runs, monkeypatch, capsys):
    experiment = runs.experiment()
    runs.write_all(experiment)
    load(runs, experiment)
    example = EXAMPLES / "success_at_cpu_time.py"
    monkeypatch.setattr(sys, "argv", [str(example), str(runs.results / experiment.name), "1"])
    runpy.run_path(str(example))
    _, _, _, *rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 2
    assert all(row.endswith(" | - |") for row in rows)


def test_importing_the_package_imports_no_data_frames():
    code = "import sys, must; sys.exit(bool({'pandas', 'numpy', 'matplotlib', 'must.data'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_frames_are_pandas(runs):
    experiment = runs.experiment()
    runs.write_all(experiment)
    data = load(runs, experiment)
    merged = data.evaluations.merge(data.runs, on="run")
    assert isinstance(merged, pd.DataFrame)
    assert len(merged) == len(data.evaluations)
