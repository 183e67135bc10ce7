"""From the logs of an experiment's runs to its tables and figures. Reads files only."""

from must.analysis.best import best_run
from must.analysis.figures import figure_names, write_figures
from must.analysis.load import load_results
from must.analysis.tables import TABLES, table_names, write_tables

__all__ = ["TABLES", "best_run", "figure_names", "load_results", "table_names", "write_figures", "write_tables"]
