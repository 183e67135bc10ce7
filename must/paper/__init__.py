"""From the results of an experiment to a paper: one PDF with tables, figures, settings, and how to reproduce it."""

from must.paper.build import write_paper
from must.paper.pages import STYLES

__all__ = ["STYLES", "write_paper"]
