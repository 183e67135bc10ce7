"""What a user can choose. Snakemake reads the types of the fields, so that they must not be postponed to text."""

from dataclasses import dataclass, field

from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """The options ``--logger-must-...``."""

    text: bool = field(default=False, metadata={"help": "Show the texts that Snakemake itself prints."})
