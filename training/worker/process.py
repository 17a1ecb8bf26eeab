"""How a process is known: by its number and its birth, since numbers are used again."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

PROC = Path("/proc")

#: A started worker as JSON ("pid" and "born" of a local one), so that it outlives the scheduler.
Process = dict[str, Any]


def read_birth(pid: int) -> str | None:
    """Return when a living process was started, unaffected by changes of the clock, or None."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None if PROC.joinpath("self").exists() else read_birth_portably(pid)
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in {"Z", "X"} else fields[18]  # starttime, in ticks since the boot


def read_birth_portably(pid: int) -> str | None:
    """Ask psutil, where there is no /proc."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return f"{process.create_time():.0f}"
    return None
