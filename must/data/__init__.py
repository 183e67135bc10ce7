"""What the runs of an experiment logged: which of them count, and all of it as tidy data. Reads files only."""

from must.data.runs import Group, Results, Run, Status, load_results
from must.data.selection import best_run, find_settings
from must.data.tidy import Data, load, write_data

__all__ = [
    "Data",
    "Group",
    "Results",
    "Run",
    "Status",
    "best_run",
    "find_settings",
    "load",
    "load_results",
    "write_data",
]
