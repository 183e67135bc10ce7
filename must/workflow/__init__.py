"""What the Snakemake rules call: plan a sweep, start its runs, look after the head, and make the report's pages.

The rules themselves (``workflow/rules/*.smk``) hold names of files and commands. Nothing here imports Snakemake. What
the Snakefile imports (`sweep`, `head`, `surroundings`) imports neither torch nor plotting: every job reads it again.
"""
