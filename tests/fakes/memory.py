"""The memory that this process itself has taken."""

from __future__ import annotations

import psutil


def read_own_bytes() -> int:
    """Return the bytes of memory that this process has taken, without files that are mapped.

    Pages of libraries and weights come and go with what else the machine does.
    """
    found = psutil.Process().memory_info()
    return int(found.rss - getattr(found, "shared", 0))
