"""The paper of an experiment, compiled by LaTeX: nothing sticks out, and its text is what the results say."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from must.config import load_sweep
from must.config.outputs import figure_names, table_names
from must.data import load_results
from must.paper import STYLES, write_paper
from must.paper.captions import title
from tests.support.reading import shipped_logs
from tests.support.sweeps import METHOD_SWEEPS

pytestmark = pytest.mark.system
ROOT = Path(__file__).parents[2]
TROUBLE = re.compile(
    r"Overfull|Missing character|LaTeX Warning|Package .* Warning|pdfTeX warning|Float too large|undefined",
    re.IGNORECASE,
)


@pytest.fixture(scope="module", autouse=True)
def _programs():
    for program, package in (
        ("pdflatex", "texlive-latex-base texlive-latex-recommended"),
        ("pdftotext", "poppler-utils"),
    ):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is missing: apt-get install {package}")


def troubles(source):
    """Compile a source until its references are settled, and return what LaTeX has to say against it."""
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", source.name]
    for _ in range(5):
        done = subprocess.run(command, cwd=source.parent, capture_output=True, check=True)
        log = done.stdout.decode(errors="replace")
        if "Rerun" not in log:
            break
    return [line for line in log.splitlines() if TROUBLE.search(line)]


def words(pdf):
    """Return the words of a PDF in reading order, with single spaces."""
    done = subprocess.run(["pdftotext", str(pdf), "-"], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.replace("-\n", "").split())


@pytest.mark.parametrize(
    ("name", "style"), [("quick", "conference"), ("quick", "plain"), ("mask_ablation", "conference")]
)
def test_the_paper_of_shipped_results_says_what_they_say(name, style, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    config = Path("config", f"{name}.yaml")
    experiment, results = load_sweep(config), shipped_logs(name, tmp_path / "results")
    pdf = write_paper(experiment, config, results, style)
    assert pdf == results / name / "paper.pdf"
    text, loaded = words(pdf), load_results(experiment, results)
    finished = sum(run.log is not None for run in loaded.runs)
    assert f"{finished} of {len(loaded.runs)} runs finished" in text
    assert ("What is missing." in text) == (finished < len(loaded.runs))
    drawn = {path.stem for path in (results / name / "figures").iterdir()}
    assert finished < len(loaded.runs) or drawn >= set(figure_names(experiment))
    for each in (*drawn, *table_names(experiment)):
        assert re.search(rf"(Figure|Table) \d+: {re.escape(title(each))}\.", text), each
    best = max((group for group in loaded.groups if group.finished), key=loaded.mean_final)
    assert f"{loaded.mean_final(best):.2f}" in text
    for run in (run for run in loaded.runs if run.log):
        assert run.manifest["git_commit"] in text.replace(" ", "")
        assert run.manifest["packages"]["torch"] in text
        assert run.manifest["cpu"] in text
    assert f"make reproduce CONFIG={config}" in text
    assert str(tmp_path) not in text
    first = pdf.read_bytes()
    assert troubles(results / name / "paper" / "paper.tex") == []
    assert (results / name / "paper" / "paper.pdf").read_bytes() == first  # at another time, too


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("sweep", ["benchmarks", "many on fifty tasks"])
def test_papers_of_large_sweeps_fit_their_pages(runs, sweep, style, monkeypatch):
    experiment = runs.experiment(name="an_underscore", **METHOD_SWEEPS[sweep])
    runs.write_all(experiment)
    monkeypatch.setattr("must.paper.build.write_figures", lambda *_: [])  # tests of their own
    pdf = write_paper(experiment, Path("config.yaml"), runs.results, style)
    assert "Experiment an_underscore" in words(pdf)
    assert troubles(pdf.parent / "paper" / "paper.tex") == []
