"""What a paper says of an experiment: its text before LaTeX sees it, and what happens where there is no LaTeX."""

import json

import pytest

from must.cli import main
from must.config.outputs import FIGURES, FIGURES_OF_METHODS, TABLES, TABLES_OF_MASKS, TABLES_OF_METHODS, table_names
from must.data import load_results
from must.paper.appendix import Commands
from must.paper.captions import caption
from must.paper.checklist import NO, PARTLY, YES, answers
from must.paper.latex import code
from must.paper.pages import document
from must.paper.record import record_of
from must.paper.settings import settings_of
from tests.support.sweeps import METHOD_SWEEPS

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def change(directory, **values):
    """Change what the manifest of a run says."""
    path = directory / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def text_of(results):
    return document(results, "conference", [], table_names(results.experiment), Commands("config/x.yaml", "results"))


def answer(results, part):
    (found,) = [each for each in answers(results, record_of(results)) if part in each.question]
    return found


def test_compute_is_summed_for_each_kind_of_machine(runs):
    experiment = runs.experiment()
    first, *others = runs.write_all(experiment)
    for directory in others:
        change(directory, cpu="Small", cpu_cores=2, threads=2)
    change(first, cpu="Large", cpu_cores=64, gpu="A GPU")
    record = record_of(load_results(experiment, runs.results))
    large, small = record.machines
    # The factory's epochs: 120 of 3 s (20 before training); of 100, every tenth takes 8 s to learn, the others 4.
    hours = (120 * 3 + 90 * 4 + 10 * 8) / 3600
    assert (large.name, large.runs, small.name, small.runs) == ("Large, 64 cores, A GPU", 1, "Small, 2 cores", 3)
    assert (large.hours, large.gpu_hours) == pytest.approx((hours, hours))
    assert (small.hours, small.core_hours, small.gpu_hours) == pytest.approx((3 * hours, 6 * hours, 0))
    assert record.total.hours == pytest.approx(4 * hours)
    assert str(small.cpu_hours) == "nan"  # the factory logs no seconds of CPU


def test_cpu_hours_are_those_that_the_runs_logged(runs):
    experiment = runs.experiment()
    for directory in runs.write_all(experiment):
        header, *lines = (directory / "timing.csv").read_text().splitlines()
        (directory / "timing.csv").write_text("\n".join([f"{header},cpu_s", *(f"{line},36" for line in lines)]) + "\n")
    record = record_of(load_results(experiment, runs.results))
    epochs = experiment.training.epochs  # the last evaluation of the factory is at this epoch
    assert record.total.cpu_hours == pytest.approx(4 * epochs * 36 / 3600)


def test_a_run_that_was_moved_names_both_machines(runs):
    experiment = runs.experiment()
    moved, *_ = runs.write_all(experiment)
    starts = [{"epoch": 0, "cpu": "One", "git_commit": COMMIT}, {"epoch": 50, "cpu": "Two", "git_commit": "f" * 40}]
    change(moved, starts=starts)
    results = load_results(experiment, runs.results)
    record = record_of(results)
    assert record.interrupted == 1
    assert "One, then Two" in [machine.name for machine in record.machines]
    assert "1 run went on from a checkpoint" in text_of(results)
    assert "several commits" in text_of(results)


def test_the_text_names_what_is_missing_and_what_was_typed(runs, unfinished):
    experiment = runs.experiment(name="an_underscore")
    *_, last = runs.write_all(experiment)
    unfinished(last, "failed")
    text = text_of(load_results(experiment, runs.results))
    assert f"Experiment {code('an_underscore')}" in text
    assert "3 of 4 runs finished" in text
    assert "What is missing." in text
    assert "seed 1 (failed)" in text
    assert code("make reproduce CONFIG=config/x.yaml") in text
    assert code(f"git checkout {COMMIT}") in text


@pytest.mark.parametrize(
    ("fewer", "said"), [({}, "3 seeds each"), ({"fewer_seeds": {"dense": 2}}, "2 to 3 seeds each")]
)
def test_the_text_says_how_many_seeds_settings_have(runs, fewer, said):
    sweep = {"seeds": [0, 1, 2], "variants": {"must": {}, "dense": {"method": "mt_sac"}}, **fewer}
    experiment = runs.experiment(sweep=sweep)
    runs.write_all(experiment)
    assert f"2 settings with {said}" in text_of(load_results(experiment, runs.results))


def test_answers_are_those_that_the_record_allows(runs, unfinished):
    experiment = runs.experiment(sweep={"seeds": [0, 1, 2, 3, 4], "pruning_ratios": [0.5], "update_intervals": [10]})
    first, *others = runs.write_all(experiment)
    results = load_results(experiment, runs.results)
    assert answer(results, "reproduced from").answer == YES
    assert answer(results, "how sure").answer == YES
    change(first, git_dirty=True)
    results = load_results(experiment, runs.results)
    assert answer(results, "reproduced from").answer == PARTLY
    change(first, git_dirty=False, git_commit=None)
    assert answer(load_results(experiment, runs.results), "reproduced from").answer == PARTLY
    for directory in others:
        unfinished(directory, "running")
    results = load_results(experiment, runs.results)
    assert answer(results, "how sure").answer == NO
    assert "4 of 5 runs incomplete" in answer(results, "limits").why


def test_settings_are_said_once_with_who_reads_them(runs):
    _, results = runs.results_of(**METHOD_SWEEPS["variants"])
    settings = settings_of(results)
    assert settings.shared["sac.gamma"] == "0.99"
    assert {each.get("method") for each in settings.own} == {"mt_sac", "static_sparse", "must"}
    value, readers = settings.partly["masks.update_interval"]
    assert value == "10"
    assert [settings.names[number].split(",")[0] for number in readers] == ["MUST"] * 3
    ratios = [each.get("masks.pruning_ratio") for each in settings.own]
    assert ratios.count("0.8") == 3
    assert ratios.count("0.9") == 1
    assert not any(key.startswith("training.seed") for key in settings.shared)


def test_every_table_and_figure_has_a_caption_without_gaps(runs):
    experiment = runs.experiment(report={"final_evaluations": 3, "success_rate": 0.7})
    for name in {*TABLES, *TABLES_OF_MASKS, *TABLES_OF_METHODS, *FIGURES, *FIGURES_OF_METHODS}:
        text = caption(name, experiment)
        assert text.endswith(".")
        assert "{" not in text
        assert text.isascii()
    assert "last 3 evaluations" in caption("success_rate", experiment)
    assert "success rate of 0.7" in caption("aggregates", experiment)


@pytest.fixture
def typed(runs, tmp_path, monkeypatch):
    """A finished experiment whose figures are not drawn, and its file."""
    path = tmp_path / "fake.yaml"
    experiment = runs.experiment()
    runs.write_all(experiment)
    path.write_text(json.dumps(experiment.model_dump(mode="json", exclude_unset=True)))
    monkeypatch.setattr("must.paper.build.write_figures", lambda *_: [])
    return ["--config", str(path), "--results", str(runs.results)]


def test_without_latex_the_packages_are_named_and_the_source_is_there(runs, typed, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["paper", *typed]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "apt-get install texlive-latex-base texlive-latex-recommended" in message
    source = runs.results / "fake" / "paper" / "paper.tex"
    assert str(source) in message
    assert source.read_text().endswith("\\end{document}\n")


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ("! LaTeX Error: File `booktabs.sty' not found.", "LaTeX has no booktabs.sty; apt-get install texlive"),
        ("! Undefined control sequence.", "paper.log says why"),
    ],
)
def test_what_latex_lacks_or_cannot_do_is_said(runs, typed, tmp_path, monkeypatch, capsys, says, expected):
    broken = tmp_path / "bin" / "pdflatex"
    broken.parent.mkdir()
    broken.write_text(f'#!/bin/sh\necho "{says.replace("`", chr(92) + "`")}"\nexit 1\n')
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}:/usr/bin:/bin")
    assert main(["paper", *typed]) == 2
    assert expected in capsys.readouterr().err
    assert not (runs.results / "fake" / "paper.pdf").exists()


def test_some_figures_are_drawn_and_the_others_stay(runs, typed, capsys):
    old = runs.results / "fake" / "figures" / "learning_curves.pdf"
    old.parent.mkdir()
    old.write_text("an older one")
    drawn = ["success_by_pruning_ratio", "mask_overlap"]
    assert main(["figures", *typed, "--only", drawn[0]]) == 0
    assert {path.stem for path in old.parent.iterdir()} == {"learning_curves", drawn[0]}
    assert main(["figures", *typed, "--only", *drawn]) == 0
    assert {path.stem for path in old.parent.iterdir()} == {"learning_curves", *drawn}
    assert old.read_text() == "an older one"
    assert main(["figures", *typed, "--only", "mask_overlap", "success_by_prunning_ratio"]) == 2
    assert "did you mean 'success_by_pruning_ratio'?" in capsys.readouterr().err
