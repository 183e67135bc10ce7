"""The tables of an experiment: numbers worked out by hand, what is left out, where it all comes from."""

import hashlib

import numpy as np
import pytest

from must.analysis import write_tables
from must.config.outputs import TABLES, TABLES_OF_MASKS
from must.errors import ResultsError
from tests.support.reading import by_hand, lines_with, read, records


def test_every_table_is_written_in_three_formats_and_named(runs):
    experiment = runs.experiment()
    runs.write_all(experiment)
    paths = write_tables(experiment, runs.results)
    directory = runs.results / "fake" / "tables"
    assert sorted(path.relative_to(directory).as_posix() for path in paths) == sorted(
        f"{table}.{kind}" for table in (*TABLES, *TABLES_OF_MASKS) for kind in ("csv", "md", "tex")
    )
    assert sorted(directory.iterdir()) == sorted(paths)


def test_csv_holds_the_numbers_worked_out_by_hand(runs):
    experiment = runs.experiment()
    runs.write_all(experiment, by_hand)
    dense, sparse = records(runs, experiment)
    # Final: seeds' means 0.5, 0.5; 0.8, 0.9. Best: 0.7, 0.8; 0.8, 0.9. Spread of x and x + 0.1: 0.1 / sqrt(2).
    assert (dense["final_mean"], dense["final_std"]) == ("0.500000", "0.000000")
    assert (dense["best_mean"], dense["best_std"]) == ("0.750000", "0.070711")
    assert (sparse["final_mean"], sparse["final_std"]) == ("0.850000", "0.070711")
    assert (sparse["best_mean"], sparse["best_std"]) == ("0.850000", "0.070711")
    assert (sparse["final_mean/reach-v3"], sparse["final_std/reach-v3"]) == ("0.900000", "0.141421")
    assert (sparse["final_mean/door-open-v3"], sparse["final_std/door-open-v3"]) == ("0.800000", "0.282843")
    # Best per task: dense, the second evaluation of both; pruned, the last of both.
    assert (dense["best_mean/reach-v3"], sparse["best_mean/reach-v3"]) == ("0.700000", "0.900000")
    # Interquartile mean: .2 [.4 .6] .8 and .6 [.8 1] 1.
    assert (dense["final_iqm"], sparse["final_iqm"]) == ("0.500000", "0.900000")
    assert (dense["final_iqm_low"], dense["final_mean_high"]) == ("", "")  # two seeds
    assert (dense["method"], sparse["method"]) == ("MT-SAC", "MUST")
    assert (dense["pruning_ratio"], dense["update_interval"]) == ("0", "na")
    assert (sparse["pruning_ratio"], sparse["update_interval"]) == ("0.5", "10")


def test_final_is_the_mean_of_the_configured_number_of_evaluations(runs):
    experiment = runs.experiment(report={"final_evaluations": 2})
    runs.write_all(experiment, by_hand)
    dense, sparse = records(runs, experiment)
    assert (dense["final_mean"], sparse["final_mean"]) == ("0.625000", "0.575000")
    assert "final is the mean of the last 2 evaluations" in read(runs, experiment, "success_rate.md")


def test_markdown_shows_the_numbers_with_the_best_in_bold(runs):
    experiment = runs.experiment()
    runs.write_all(experiment, by_hand)
    rows = lines_with(read(runs, experiment, "success_rate.md"), "of 2")
    assert rows == [
        "| MT-SAC | 0 | \N{EN DASH} | 2 of 2 | 0.50 ± 0.00 | 0.50 | 0.75 ± 0.07 | 0.60 ± 0.28 | 0.40 ± 0.28 |",
        "| MUST | 0.5 | 10 | 2 of 2 | **0.85 ± 0.07** | **0.90** | **0.85 ± 0.07** | **0.90 ± 0.14** "
        "| **0.80 ± 0.28** |",
    ]


def test_latex_has_the_best_in_bold_the_second_underlined_and_intervals_in_smaller_type(runs):
    sweep = {"seeds": list(range(5)), "pruning_ratios": [0, 0.5, 0.8], "update_intervals": [10]}
    experiment = runs.experiment(sweep=sweep)
    by_ratio = {0.0: 0.5, 0.5: 0.75, 0.8: 0.25}
    runs.write_all(experiment, lambda _, config: np.full((3, 2), by_ratio[config.masks.pruning_ratio]))
    dense, half, most = lines_with(read(runs, experiment, "success_rate.tex"), "5 of 5")
    assert r"\underline{0.50} {\scriptsize $\pm$ 0.00 [0.50, 0.50]}" in dense
    assert r"\textbf{0.75} {\scriptsize [0.75, 0.75]}" in half
    assert "underline" not in most
    assert "textbf" not in most


def test_per_task_tables_hold_tasks_by_pruning_ratio(runs):
    experiment = runs.experiment()
    runs.write_all(experiment, by_hand)
    text, best = read(runs, experiment, "per_task.md").split("\n\n**Success at the best evaluation")
    assert lines_with(best, "reach-v3") == ["| reach-v3 | 0.70 ± 0.14 | **0.90 ± 0.14** |"]
    assert text.startswith("**Final success by pruning ratio, update interval 10**\n\n| Task | Dense | Pruned 0.5 |")
    assert lines_with(text, "reach-v3") == ["| reach-v3 | 0.60 ± 0.28 | **0.90 ± 0.14** |"]
    assert lines_with(text, "Mean") == ["| Mean over tasks | 0.50 ± 0.00 | **0.85 ± 0.07** |"]
    tasks = [
        (row["pruning_ratio"], row["task"], row["final_mean"]) for row in records(runs, experiment, "per_task.csv")
    ]
    assert tasks == [
        ("0", "reach-v3", "0.600000"),
        ("0", "door-open-v3", "0.400000"),
        ("0.5", "reach-v3", "0.900000"),
        ("0.5", "door-open-v3", "0.800000"),
    ]


def test_equal_values_are_not_singled_out(runs):
    experiment = runs.experiment()
    runs.write_all(experiment, lambda *_: np.ones((3, 2)))
    assert "textbf{1.00" not in read(runs, experiment, "success_rate.tex")
    assert "**1.00" not in read(runs, experiment, "success_rate.md")


def test_one_seed_has_no_spread_and_the_table_says_so(runs):
    experiment = runs.experiment(sweep={"seeds": [1], "pruning_ratios": [0, 0.5], "update_intervals": [10]})
    runs.write_all(experiment, by_hand)
    text = read(runs, experiment, "success_rate.md")
    assert "±" not in text
    assert "a row of one seed has no spread; no interval below 5 seeds" in text
    assert "[" not in text.replace("[ ]", "")
    assert records(runs, experiment)[1]["final_std"] == ""
    assert "| 0.5 | 10 | 1 of 1 | **0.90** | **0.90** | **0.90** | 0.80 | **1.00** |" in text


def test_runs_that_do_not_count_are_counted_and_named(runs, unfinished):
    experiment = runs.experiment(sweep={"seeds": [0, 1, 2, 3], "pruning_ratios": [0.5], "update_intervals": [10]})
    specs = experiment.runs()
    runs.write(experiment, specs[0], lambda *_: np.full((2, 2), 0.25))
    unfinished(runs.write(experiment, specs[1], lambda *_: np.ones((2, 2))), "failed")
    stale = runs.write(experiment, specs[2], lambda *_: np.ones((2, 2))) / "config.yaml"
    stale.write_text(stale.read_text().replace("tau: 0.005", "tau: 0.01"))
    (record,) = records(runs, experiment)
    counts = {key: record[key] for key in ("seeds", "seeds_planned", "incomplete", "stale", "missing", "final_mean")}
    assert counts == {
        "seeds": "1",
        "seeds_planned": "4",
        "incomplete": "1",
        "stale": "1",
        "missing": "1",
        "final_mean": "0.250000",
    }
    for kind in ("md", "tex"):
        text = read(runs, experiment, f"success_rate.{kind}")
        run = "pruning ratio 0.5, update interval 10, seed"
        assert f"Left out, incomplete: 1 run of 4: {run} 1 (failed)." in text
        assert f"other settings than the experiment now asks for: 1 run of 4: {run} 2." in text
        assert f"Left out, not begun: 1 run of 4: {run} 3." in text


def test_a_long_list_of_runs_is_cut(runs):
    experiment = runs.experiment(sweep={"seeds": list(range(9)), "pruning_ratios": [0], "update_intervals": [10]})
    runs.write(experiment, experiment.runs()[0])
    assert "seed 6; and 2 more." in read(runs, experiment, "success_rate.md")


def test_a_group_without_a_finished_run_keeps_its_row(runs):
    experiment = runs.experiment()
    for spec in experiment.runs()[:2]:
        runs.write(experiment, spec, by_hand)
    dash = "\N{EN DASH}"
    assert f"| 0.5 | 10 | 0 of 2 | {dash} | {dash} | {dash} | {dash} | {dash} |" in read(
        runs, experiment, "success_rate.md"
    )
    assert records(runs, experiment)[1]["final_mean"] == ""


def test_the_closing_line_says_how_the_numbers_were_made(runs):
    experiment = runs.experiment(evaluation={"episodes": 5})
    runs.write_all(experiment)
    last = read(runs, experiment, "success_rate.md").splitlines()[-1]
    assert last == (
        "Success rates, means over the tasks (reward v2, random goals, horizon 150): final is the last evaluation, "
        "IQM the interquartile mean over seeds and tasks, best that of each run's best evaluation. Made with "
        "2 seeds (0, 1); 5 evaluation episodes per task; ± is the sample standard deviation over seeds; no "
        "interval below 5 seeds: so few do not say how much seeds differ; code at commit 0123456789ab; no container."
    )


@pytest.mark.parametrize("table", [*TABLES, *TABLES_OF_MASKS])
@pytest.mark.parametrize("kind", ["md", "tex"])
def test_every_table_ends_with_seeds_episodes_interval_commit_and_image(runs, table, kind):
    experiment = runs.experiment()
    container = {"image": "must.sif", "digest": "sha256:" + "f" * 64}
    for spec in experiment.runs():
        runs.write(experiment, spec, container=container)
    last = [line for line in read(runs, experiment, f"{table}.{kind}").splitlines() if line != "\\endgroup"][-1]
    for word in ("2 seeds (0, 1)", "3 evaluation episodes", "commit 0123456789ab", "container sha256:ffffffffffff"):
        assert word in last
    assert ("no interval below 5 seeds" in last) == (table in ("success_rate", "aggregates"))


def test_code_and_containers_that_differ_are_all_named(runs):
    experiment = runs.experiment()
    container = {"image": "must.sif", "digest": "sha256:" + "f" * 64}
    origins = [
        {"git_commit": "a" * 40},
        {"git_commit": "a" * 40, "git_dirty": True, "container": container},
        {"git_commit": "b" * 40, "container": container},
        {"git_commit": None},
    ]
    for spec, origin in zip(experiment.runs(), origins, strict=True):
        runs.write(experiment, spec, by_hand, **origin)
    text = read(runs, experiment, "success_rate.md")
    assert "code at different commits: aaaaaaaaaaaa with uncommitted changes, bbbbbbbbbbbb, unknown" in text
    assert "different containers: no container, sha256:ffffffffffff" in text
    dense, sparse = records(runs, experiment)
    assert (dense["git_commits"], dense["git_dirty"]) == ("a" * 40, "1")
    assert (sparse["git_commits"], sparse["git_dirty"]) == ("b" * 40 + " unknown", "0 0")
    assert dense["containers"] == "none sha256:" + "f" * 64


def test_every_start_of_every_run_is_named(runs):
    experiment = runs.experiment()
    software = {"python": "3.11.7", "git_dirty": False, "container": None}
    old = {**software, "git_commit": "a" * 40, "packages": {"torch": "2.12.0", "numpy": "2.4"}}
    new = {**software, "git_commit": "b" * 40, "packages": {"torch": "2.13.0", "numpy": "2.4"}}
    dropped = {**software, "git_commit": "c" * 40, "packages": {"torch": "1.0"}, "python": "3.9"}
    histories = [
        [{**old, "epoch": 0}, {**new, "epoch": 9}],  # went on with other software
        [{**dropped, "epoch": 0}, {**new, "epoch": 0}, {**dropped, "epoch": None}],  # began anew; did nothing
        [{"time": "long ago"}, new],  # from before starts were kept
        [],
    ]
    for spec, starts in zip(experiment.runs(), histories, strict=True):
        runs.write(experiment, spec, by_hand, **new, starts=starts)
    for name in ("success_rate.md", "per_task.md", "aggregates.md", "cost.md"):
        text = read(runs, experiment, name)
        assert "code at different commits: aaaaaaaaaaaa, bbbbbbbbbbbb, unknown;" in text
        assert "different packages: torch 2.12.0, 2.13.0;" in text


def test_nothing_is_said_of_packages_that_are_the_same(runs):
    for spec in (experiment := runs.experiment()).runs():
        runs.write(experiment, spec, by_hand, packages={"torch": "2.13.0"}, python="3.11.7")
    assert "packages" not in read(runs, experiment, "success_rate.md")


@pytest.mark.parametrize("value", [3, "text", [1], {"a": 1}, None])
@pytest.mark.parametrize("key", ["starts", "packages", "git_commit", "container", "python"])
def test_a_manifest_of_another_program_does_no_harm(runs, key, value):
    experiment = runs.experiment()
    for spec in experiment.runs():
        runs.write(experiment, spec, by_hand, **{key: value})
    assert "Made with 2 seeds" in read(runs, experiment, "success_rate.md")


def test_swept_settings_make_rows_and_blocks(runs):
    experiment = runs.experiment(
        sweep={
            "seeds": [0],
            "pruning_ratios": [0, 0.5],
            "update_intervals": [10, 20],
            "granularities": ["weight", "neuron"],
            "use_sl_loss": [0, 1],
        }
    )
    runs.write_all(experiment, by_hand)
    table = read(runs, experiment, "success_rate.md")
    assert table.startswith("| Method | Granularity | Pruning ratio | Update interval | Supervised loss | Seeds |")
    assert len(lines_with(table, "of 1")) == 1 + 2 * 2 * 2
    assert "| neuron | 0.5 | 20 | on | 1 of 1 |" in table
    tasks = read(runs, experiment, "per_task.md")
    assert len(lines_with(tasks, "| Task | Dense | Pruned 0.5 |")) == 2 * 8
    assert "**Final success by pruning ratio, neuron, supervised loss on, update interval 20**" in tasks


def test_benchmarks_do_not_share_a_column(runs):
    experiment = runs.experiment(
        env={"benchmark": "MT10", "n_tasks": 2},
        sweep={"seeds": [0], "pruning_ratios": [0, 0.5], "update_intervals": [10], "benchmarks": ["MT10", "MT25"]},
    )
    runs.write_all(experiment, by_hand)
    text = read(runs, experiment, "success_rate.md")
    first, second = text.split("**MT25**")
    assert first.startswith("**MT10**")
    assert len(lines_with(first, "1 of 1")) == len(lines_with(second, "1 of 1")) == 2
    assert [row["benchmark"] for row in records(runs, experiment)] == ["MT10", "MT10", "MT25", "MT25"]
    assert {row["reward"] for row in records(runs, experiment)} == {"v2"}


def test_a_sweep_without_pruning_has_one_row(runs):
    experiment = runs.experiment(sweep={"seeds": [0, 1], "pruning_ratios": [0]})
    runs.write_all(experiment, by_hand)
    assert "| Task | Dense |\n" in read(runs, experiment, "per_task.md")
    assert "| 0 | \N{EN DASH} | 2 of 2 | 0.50 ± 0.00 |" in read(runs, experiment, "success_rate.md")


@pytest.mark.parametrize(("tasks", "columns"), [(1, 8), (10, 17), (11, 7), (50, 7)])
def test_many_tasks_have_their_own_table(runs, tasks, columns):
    experiment = runs.experiment(env={"benchmark": "MT50", "n_tasks": tasks})
    runs.write_all(experiment)
    assert read(runs, experiment, "success_rate.md").splitlines()[0].count(" | ") + 1 == columns
    assert len(records(runs, experiment, "per_task.csv")) == 2 * tasks


def test_the_same_logs_give_the_same_bytes(runs):
    experiment = runs.experiment()
    runs.write_all(experiment)

    def digests():
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in write_tables(experiment, runs.results)]

    assert digests() == digests()


def test_results_that_cannot_be_written_are_an_error(runs):
    experiment = runs.experiment()
    runs.write_all(experiment)
    (runs.results / "fake" / "tables").write_text("in the way")
    with pytest.raises(ResultsError, match=r"success_rate\.csv: cannot be written"):
        write_tables(experiment, runs.results)
