"""How a process is known: by its number and its birth, since numbers are used again."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

PROC = Path("/proc")

#: A started worker as JSON ("pid", "born", "protocol"), so that it outlives the scheduler.
Process = dict[str, Any]


#: What a worker reads and writes, counted up when it changes: one of another version is replaced.
PROTOCOL = 2


def this_process() -> Process:
    """Return this process."""
    return {"pid": os.getpid(), "born": read_birth(os.getpid()), "protocol": PROTOCOL}


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
