"""From the runs of an experiment to its tables and figures. Reads files only."""

from must.analysis.figures import write_figures
from must.analysis.tables import aggregate, write_tables
from must.data import load_results

__all__ = ["aggregate", "load_results", "write_figures", "write_tables"]
