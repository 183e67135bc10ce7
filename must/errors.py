"""One exception type for each kind of mistake a user can make.

The message of each says what is wrong, where, and what to write instead. The command line prints the message alone,
without a traceback, and exits with status 2.
"""

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 75
"""EX_TEMPFAIL: the run stopped on request and has a checkpoint; the same command goes on."""


class MustError(Exception):
    """What went wrong is the user's to mend; the message says how."""


class ConfigError(MustError):
    """A configuration file or option that cannot be used."""


class RunDirectoryError(MustError):
    """An output directory that cannot be used for this run."""


class CheckpointError(MustError):
    """A saved state that cannot be read or does not belong to this run."""


class NumericalError(MustError):
    """A loss or a gradient became NaN or infinite."""


class WorkerError(MustError):
    """A collection worker died, hung or failed."""


class ResultsError(MustError):
    """Results that cannot be aggregated."""


class RenderError(MustError):
    """A clip that cannot be made."""
