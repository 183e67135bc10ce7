"""Making the paper of an experiment from its runs: tables, figures, LaTeX, PDF."""

from __future__ import annotations

import shlex
from pathlib import Path

from must.analysis import aggregate, load_results, write_figures
from must.config import Experiment
from must.config.outputs import table_names
from must.data.files import write_atomically
from must.paper.appendix import Commands
from must.paper.latex import compile_pdf
from must.paper.pages import document

_AUXILIARY = (".aux", ".log", ".out")


def write_paper(experiment: Experiment, config: Path, results: Path, style: str = "conference") -> Path:
    """Write ``results/<name>/paper.pdf``, its LaTeX in ``paper/`` beside it, and the tables and figures it shows.

    Args:
        experiment: The experiment, as it stands now.
        config: Its file, which the commands in the paper name.
        results: Directory that holds ``<name>/runs/...``.
        style: One of `must.paper.STYLES`.

    Returns:
        The PDF.

    Raises:
        ResultsError: No run is finished, or a finished one is damaged.
        LatexError: LaTeX is missing, or fails; the rest is written then.
    """
    aggregate(experiment, results)
    figures = list(dict.fromkeys(path.stem for path in write_figures(experiment, results)))
    loaded = load_results(experiment, results)
    commands = Commands(_shown(config), _shown(results))
    text = document(loaded, style, figures, table_names(experiment), commands)
    source = write_atomically(loaded.directory / "paper" / "paper.tex", text.encode())
    pdf = compile_pdf(source)
    written = write_atomically(loaded.directory / "paper.pdf", pdf.read_bytes())
    for path in (pdf, *(source.with_suffix(suffix) for suffix in _AUXILIARY)):
        path.unlink(missing_ok=True)
    return written


def _shown(path: Path) -> str:
    """Return a path as the paper shows it, without the folders of this machine above the working directory."""
    absolute = path.absolute()
    inside = absolute.is_relative_to(Path.cwd())
    return shlex.quote(str(absolute.relative_to(Path.cwd())) if inside else absolute.name)
