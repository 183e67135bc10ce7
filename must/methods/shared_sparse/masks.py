"""One mask for all tasks."""

from __future__ import annotations

from must.methods.must.masks import GeneratedMasks


class SharedMasks(GeneratedMasks):
    """The first masks of the first task, for all tasks."""

    shared = True
