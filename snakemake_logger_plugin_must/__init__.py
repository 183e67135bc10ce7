"""Snakemake's logger `must`: how far a sweep is, instead of the texts of rules.

On a terminal it shows a bar for the sweep and a line for each run that is being trained; elsewhere, plain lines. What
Snakemake itself would print is in its log file, ``.snakemake/log/``, and is shown with `--logger-must-text`. Dry runs,
and `--verbose`, are shown as ever.
"""

from snakemake_logger_plugin_must.handler import LogHandler
from snakemake_logger_plugin_must.settings import LogHandlerSettings

__all__ = ["LogHandler", "LogHandlerSettings"]
