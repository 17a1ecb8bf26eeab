"""A lock on a file: held by one process, let go of when that process ends in any way."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: nothing is refused there
    fcntl = None  # type: ignore[assignment]


def lock(path: Path) -> IO[str] | None:
    """Take the lock and return the file that holds it; None when another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held = path.open("a+")
    try:
        if fcntl is not None:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        return None
    held.truncate(0)
    held.write(str(os.getpid()))
    held.flush()
    return held
