"""Which runs count, and what is said of damaged ones."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from must.data.logs import read_overlaps
from must.data.runs import Status, load_results
from must.errors import ResultsError


def statuses(results):
    return [run.status for run in results.runs]


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_groups_are_the_settings_and_runs_their_seeds(runs):
    experiment = runs.experiment()
    runs.write_all(experiment, lambda spec, config: [[0.0, 0.5], [1.0, config.training.seed]])
    results = load_results(experiment, runs.results)
    assert [group.settings for group in results.groups] == [
        {"pruning_ratio": "0", "update_interval": "na"},
        {"pruning_ratio": "0.5", "update_interval": "10"},
    ]
    assert statuses(results) == [Status.FINISHED] * 4
    np.testing.assert_allclose(results.groups[1].success, [[[0, 0.5], [1, 0]], [[0, 0.5], [1, 1]]])
    # 20 epochs of 150 steps before the first evaluation, 100 more before the last.
    np.testing.assert_allclose(results.groups[1].curve_steps, [3000, 18000])


def test_only_finished_runs_count(runs, unfinished):
    experiment = runs.experiment()
    directories = runs.write_all(experiment)
    shutil.rmtree(directories[0])
    unfinished(directories[1], "interrupted")
    unfinished(directories[2], "failed")
    (directories[2] / "manifest.json").write_text('{"state": "fai')
    results = load_results(experiment, runs.results)
    assert statuses(results) == [Status.MISSING, Status.INCOMPLETE, Status.INCOMPLETE, Status.FINISHED]
    assert [run.state for run in results.runs] == ["", "interrupted", "unknown", ""]
    assert results.groups[0].success.shape == (0, 0, 2)


def test_a_run_of_other_settings_is_stale_and_not_read(runs):
    experiment = runs.experiment()
    directories = runs.write_all(experiment)
    edit(directories[0] / "config.yaml", "gamma: 0.99", "gamma: 0.9")
    (directories[0] / "eval.csv").write_text("")
    edit(directories[1] / "config.yaml", "gamma:", "no_longer_a_key:")
    assert statuses(load_results(experiment, runs.results)) == [Status.STALE] * 2 + [Status.FINISHED] * 2


def test_settings_that_cannot_change_a_result_do_not_make_a_run_stale(runs):
    experiment = runs.experiment()
    directories = runs.write_all(experiment)
    edit(directories[0] / "config.yaml", "n_workers: 1", "n_workers: 4")
    assert statuses(load_results(experiment, runs.results)) == [Status.FINISHED] * 4


def test_directories_outside_the_sweep_are_ignored(runs):
    wide = runs.experiment(sweep={"seeds": [0, 1, 2], "pruning_ratios": [0, 0.5, 0.8], "update_intervals": [10, 20]})
    directories = runs.write_all(wide)
    shutil.copytree(directories[0], directories[0].with_name(directories[0].name + ".0123abcd"))
    narrow = runs.experiment()
    results = load_results(narrow, runs.results)
    assert [run.spec for run in results.runs] == narrow.runs()
    assert statuses(results) == [Status.FINISHED] * 4


def test_without_a_finished_run_the_message_says_what_to_run(runs, unfinished):
    experiment = runs.experiment()
    with pytest.raises(ResultsError, match=r"no finished run of experiment 'fake' \(4 missing of 4\).*make reproduce"):
        load_results(experiment, runs.results)
    unfinished(runs.write(experiment, experiment.runs()[0]), "running")
    with pytest.raises(ResultsError, match=r"1 incomplete, 3 missing of 4"):
        load_results(experiment, runs.results)


def test_the_directory_of_the_experiment_itself_is_told_from_the_one_above(runs, monkeypatch):
    experiment = runs.experiment()
    runs.write_all(experiment)
    with pytest.raises(ResultsError, match=rf"{runs.results}/fake: .*folder above: --results {runs.results}$"):
        load_results(experiment, runs.results / "fake")
    monkeypatch.chdir(runs.results / "fake")
    with pytest.raises(ResultsError, match=rf"folder above: --results {runs.results}$"):
        load_results(experiment, Path())


def test_a_torn_line_is_named(runs):
    experiment = runs.experiment()
    path = runs.write_all(experiment)[0] / "eval.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:4], lines[4][:20]]))
    with pytest.raises(ResultsError, match=rf"{path}: line 5: \d fields instead of 7"):
        load_results(experiment, runs.results)


def test_a_number_that_breaks_off_at_the_end_is_named(runs):
    experiment = runs.experiment()
    path = runs.write_all(experiment)[0] / "eval.csv"
    path.write_text(path.read_text()[:-2])
    with pytest.raises(ResultsError, match=rf"{path}: line 14: the line breaks off"):
        load_results(experiment, runs.results)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: [*lines[:2], lines[2].replace("0", "O"), *lines[3:]], r"line 3: '.*' is not a finite number"),
        (lambda lines: [*lines[:2], ",".join(["nan"] * 7), *lines[3:]], r"line 3: 'nan' is not a finite number"),
        (lambda lines: [*lines[:2], "", *lines[2:]], "line 3: 1 fields instead of 7"),
        (lambda lines: [*lines[:3], lines[1], *lines[4:]], "line 4: epochs must increase"),
        (lambda lines: [lines[0], lines[1].replace(",0.0,", ",1.5,")], "line 2: .*between 0 and 1"),
        (lambda lines: lines[:1], "line 2: no evaluation in it"),
        (lambda lines: lines[1:], "line 1: expected the columns epoch,env_steps,mean_success,success/reach-v3"),
        (lambda lines: [lines[0].replace("reach", "push"), *lines[1:]], "line 1: expected the columns"),
        (lambda lines: [], "line 1: expected the columns"),
    ],
)
def test_damaged_evaluations_are_named_by_file_and_line(runs, damage, message):
    experiment = runs.experiment()
    path = runs.write_all(experiment, lambda *_: np.zeros((5, 2)))[0] / "eval.csv"
    path.write_text("".join(line + "\n" for line in damage(path.read_text().splitlines())))
    with pytest.raises(ResultsError, match=rf"{path}: {message}"):
        load_results(experiment, runs.results)


@pytest.mark.parametrize("name", ["eval.csv", "train.csv", "masks.csv"])
def test_a_log_that_is_not_the_runs_own_is_named(runs, name):
    experiment = runs.experiment()
    path = runs.write_all(experiment)[-1] / name
    first, *rest = path.read_text().splitlines(keepends=True)
    path.write_text(first + "".join(line.replace("0.", "0.0", 1) for line in rest) + rest[-1].replace("100", "101"))
    with pytest.raises(ResultsError, match=rf"{path}: .*does not match the SHA-256 in"):
        load_results(experiment, runs.results)


@pytest.mark.parametrize("name", ["train.csv", "masks.csv"])
def test_a_torn_line_in_the_other_logs_is_named(runs, name):
    experiment = runs.experiment()
    path = runs.write_all(experiment)[-1] / name
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], lines[-1].rpartition(",")[0]]))
    with pytest.raises(ResultsError, match=rf"{path}: line {len(lines)}: \d fields instead of \d"):
        load_results(experiment, runs.results)


@pytest.mark.parametrize("name", ["eval.csv", "train.csv", "masks.csv", "manifest.json", "config.yaml"])
def test_a_missing_file_of_a_finished_run_is_named(runs, name):
    experiment = runs.experiment()
    path = runs.write_all(experiment)[1] / name
    path.unlink()
    with pytest.raises(ResultsError, match=rf"{path}: cannot be read: No such file"):
        load_results(experiment, runs.results)


@pytest.mark.parametrize(
    ("text", "message"),
    [('{"epochs": 1', "is not valid JSON"), ("[]", "expected a JSON object"), ("{}", "holds no SHA-256 of eval.csv")],
)
def test_a_damaged_result_is_named(runs, text, message):
    experiment = runs.experiment()
    path = runs.write_all(experiment)[1] / "result.json"
    path.write_text(text)
    with pytest.raises(ResultsError, match=rf"{path}: {message}"):
        load_results(experiment, runs.results)


def test_results_that_are_a_link_to_nowhere_or_a_file_are_said(runs, tmp_path):
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(ResultsError, match=r"link: is a link to nowhere, which is not there"):
        load_results(runs.experiment(), tmp_path / "link" / "below")
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"file: is a file"):
        load_results(runs.experiment(), tmp_path / "file")


@pytest.mark.parametrize("name", ["eval.csv", "train.csv", "masks.csv", "manifest.json", "result.json", "config.yaml"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"null", b"[" * 100_000, b"a,b\n1\n", None])
def test_whatever_is_wrong_with_a_file_it_is_named(runs, name, content):
    experiment = runs.experiment()
    path = runs.write_all(experiment)[0] / name
    path.unlink()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    if name == "config.yaml" and content in (b"null", b"", b"a,b\n1\n"):  # settings of no experiment
        assert load_results(experiment, runs.results).runs[0].status is Status.STALE
        return
    with pytest.raises(ResultsError) as caught:
        load_results(experiment, runs.results)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_seeds_must_have_been_evaluated_at_the_same_steps(runs):
    experiment = runs.experiment()
    runs.write_all(experiment, lambda spec, config: np.zeros((3 + config.training.seed, 2)))
    with pytest.raises(ResultsError, match="not at the environment steps of those in"):
        load_results(experiment, runs.results)


def test_more_final_evaluations_than_there_are_is_an_error(runs):
    experiment = runs.experiment(report={"final_evaluations": 6})
    runs.write_all(experiment, lambda *_: np.zeros((5, 2)))
    with pytest.raises(ResultsError, match=r"report\.final_evaluations is 6: use at most 5"):
        load_results(experiment, runs.results)


def masks_csv(path, rows):
    path.write_text("epoch,version,network,task_a,task_b,overlap\n" + "".join(f"{row}\n" for row in rows))
    return path


def test_the_overlap_is_that_of_the_networks_last_mask_set(tmp_path):
    path = masks_csv(
        tmp_path / "masks.csv",
        [
            *("0,0,policy,a,b,0.1", "0,0,policy,a,c,0.1", "0,0,policy,b,c,0.1"),
            *("9,1,policy,a,b,0.2", "9,1,policy,a,c,0.3", "9,1,policy,b,c,0.4", "9,1,q1,a,b,0.9"),
        ],
    )
    expected = [[1, 0.2, 0.3], [0.2, 1, 0.4], [0.3, 0.4, 1]]
    np.testing.assert_allclose(read_overlaps(path, ("a", "b", "c"), last=True)[1], [expected])


def test_only_the_end_of_a_long_file_is_needed(tmp_path):
    rows = [
        f"{version},{version},{net},a,b,0.{version:04d}" for version in range(999) for net in ("policy", "q1", "q2")
    ]
    path = masks_csv(tmp_path / "masks.csv", rows)
    np.testing.assert_allclose(read_overlaps(path, ("a", "b"), last=True)[1], [[[1, 0.0998], [0.0998, 1]]])


def test_there_is_no_overlap_without_pairs(tmp_path):
    assert read_overlaps(masks_csv(tmp_path / "masks.csv", []), ("a", "b"), last=True)[1].shape == (0, 2, 2)


def test_a_missing_pair_is_named(tmp_path):
    path = masks_csv(tmp_path / "masks.csv", ["0,0,policy,a,b,0.1", "0,0,policy,a,c,0.1"])
    with pytest.raises(ResultsError, match="lacks the pair b, c"):
        read_overlaps(path, ("a", "b", "c"), last=True)
