"""Tables: CSV for machines (everything), Markdown for reading, LaTeX for the paper."""

from __future__ import annotations

from pathlib import Path

from must.analysis.files import write_atomically
from must.analysis.load import Results, load_results
from must.analysis.markup import Table, to_latex, to_markdown
from must.analysis.notes import Kind, closing_note, left_out_notes
from must.analysis.recency import recency_notes
from must.analysis.tables.aggregates import aggregate_records, aggregate_tables
from must.analysis.tables.comparison import comparison_records, comparison_tables
from must.analysis.tables.cost import cost_records, cost_tables
from must.analysis.tables.rows import to_csv
from must.analysis.tables.success import success_records, success_tables, task_records, task_tables
from must.config import Experiment
from must.config.outputs import TABLES, TABLES_OF_METHODS, compares_methods, table_names

SUFFIXES = ("csv", "md", "tex")


def write_tables(experiment: Experiment, results: Path) -> list[Path]:
    """Write ``results/<name>/tables/<table>.{csv,md,tex}`` from the runs that are there.

    Args:
        experiment: The experiment, as it stands now.
        results: Directory that holds ``<name>/runs/...``.

    Returns:
        The files written.

    Raises:
        ResultsError: No run is finished, or a finished one is damaged.
    """
    loaded = load_results(experiment, results)
    texts = (
        _texts(loaded, "success_rate", Kind.SUCCESS, success_records(loaded), success_tables(loaded, with_tasks=False))
        | _texts(loaded, "per_task", Kind.TASKS, task_records(loaded), task_tables(loaded))
        | _texts(loaded, "aggregates", Kind.AGGREGATES, aggregate_records(loaded), aggregate_tables(loaded))
        | _texts(loaded, "cost", Kind.COST, cost_records(loaded), cost_tables(loaded))
    )
    if compares_methods(experiment):
        texts |= _texts(loaded, "comparison", Kind.COMPARISON, comparison_records(loaded), comparison_tables(loaded))
    # A screen has room for some tasks beside the settings; a page has not.
    texts["success_rate.md"] = to_markdown(success_tables(loaded, with_tasks=True), _notes(loaded, Kind.SUCCESS))
    directory = loaded.directory / "tables"
    paths = [write_atomically(directory / name, text.encode()) for name, text in texts.items()]
    for name in {*TABLES, *TABLES_OF_METHODS} - set(table_names(experiment)):
        for suffix in SUFFIXES:
            (directory / f"{name}.{suffix}").unlink(missing_ok=True)
    return paths


def _texts(
    results: Results, name: str, kind: Kind, records: list[dict[str, str]], tables: list[Table]
) -> dict[str, str]:
    """Return a table's files: name -> text."""
    notes = _notes(results, kind)
    return {
        f"{name}.csv": to_csv(records),
        f"{name}.md": to_markdown(tables, notes),
        f"{name}.tex": to_latex(tables, notes),
    }


def _notes(results: Results, kind: Kind) -> list[str]:
    return [*left_out_notes(results), *recency_notes(results), closing_note(results, kind)]
