"""One archive of an experiment, and whether what it says follows from its logs: ``must export``, ``must verify``."""

from must.export.pack import export
from must.export.verify import verify

__all__ = ["export", "verify"]
