"""How this process deals with the memory that it frees."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def keep_freed_memory() -> None:
    """Keep freed memory for the next allocation, instead of giving it back to the operating system.

    A gradient step frees and allocates the same large tensors again and again. By default the system takes each of them
    back and hands out new pages, one by one, at the next touch; with the dense head that takes longer than the
    arithmetic. Only glibc has the two switches; elsewhere nothing is done.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_MMAP_MAX, 0)
            mallopt(_M_TRIM_THRESHOLD, -1)
