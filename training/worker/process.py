"""A process and its birth: a number alone may by now be another process."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

PROC = Path("/proc")


def birth(pid: int) -> str | None:
    """Return when a living process was born, in a form no change of the clock moves."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None if PROC.joinpath("self").exists() else _portable(pid)
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in {"Z", "X"} else fields[18]  # starttime, in ticks since the boot


def _portable(pid: int) -> str | None:
    """Ask psutil, where there is no /proc."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return f"{process.create_time():.0f}"
    return None
