"""One archive of an experiment, and whether what it says follows from its logs: ``must export``, ``must verify``."""
