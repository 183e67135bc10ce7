"""From the logs of an experiment's runs to its tables and figures. Reads files only."""

from must.analysis.figures import figure_names, write_figures
from must.analysis.tables import TABLES, write_tables

__all__ = ["TABLES", "figure_names", "write_figures", "write_tables"]
