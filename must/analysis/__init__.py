"""From the logs of an experiment's runs to its tables and figures. Reads files only."""

from must.analysis.best import best_run
from must.analysis.figures import write_figures
from must.analysis.load import load_results
from must.analysis.tables import write_tables

__all__ = ["best_run", "load_results", "write_figures", "write_tables"]
