"""Every table goes through LaTeX as a paper would take it in, and fits on its page."""

import shutil
import subprocess

import pytest

from must.analysis import write_tables
from must.config.outputs import table_names
from tests.support.sweeps import METHOD_SWEEPS, SWEEPS

pytestmark = pytest.mark.system

PAPER = r"""\documentclass[10pt]{article}
\usepackage[textwidth=5.5in, textheight=9in]{geometry}
\usepackage{booktabs, graphicx}
\begin{document}
%s
\end{document}
"""


@pytest.fixture(scope="module", autouse=True)
def _latex():
    if shutil.which("pdflatex") is None:
        pytest.fail("pdflatex is missing: apt install texlive-latex-base texlive-latex-recommended")


@pytest.mark.parametrize("sections", [*SWEEPS.values(), *METHOD_SWEEPS.values()], ids=[*SWEEPS, *METHOD_SWEEPS])
def test_tables_compile_and_fit(runs, unfinished, sections):
    experiment = runs.experiment(name="an_underscore", **sections)
    directories = runs.write_all(experiment)
    if len(directories) > 1:
        unfinished(directories[-1], "failed")  # so that a table has to name it
    paths = [path for path in write_tables(experiment, runs.results) if path.suffix == ".tex"]
    assert len(paths) == len(table_names(experiment))
    folder = paths[0].parent
    (folder / "paper.tex").write_text(PAPER % "\n".join(rf"\input{{{path.stem}}}" for path in paths))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (folder / "paper.pdf").stat().st_size > 10_000
    troubles = [line for line in done.stdout.splitlines() if "Overfull" in line or "Missing character" in line]
    assert not troubles
