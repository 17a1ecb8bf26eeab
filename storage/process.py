"""How a process is known: by its number, its birth and the boot it was born in."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

PROC = Path("/proc")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

#: A process as JSON, so that others find it again: "pid", "born", "boot", and what else they need.
#: Numbers are used again, and births are counted from the boot.
Process = dict[str, Any]


def identify_process(pid: int) -> Process:
    """Return how a process can be found again."""
    return {"pid": pid, "born": read_birth(pid), "boot": read_boot()}


def this_process() -> Process:
    """Return this process."""
    return identify_process(os.getpid())


def is_alive(process: Process) -> bool:
    """Return whether that very process still runs."""
    born = read_birth(process["pid"])
    boot = process.get("boot", "")  # one of version 0.1 lacks it
    return born is not None and born == process["born"] and boot in {"", read_boot()}


def read_boot() -> str:
    """Return what is another one after each start of the machine; "" where nothing tells."""
    with suppress(OSError):
        return BOOT_ID.read_text().strip()
    return ""


def read_birth(pid: int) -> str | None:
    """Return when a living process was started, unaffected by changes of the clock, or None."""
    fields = read_stat(pid)
    if fields is None:
        return None if PROC.joinpath("self").exists() else read_birth_portably(pid)
    return None if fields[0] in {"Z", "X"} else fields[19]  # starttime, in ticks since the boot


def read_stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/<pid>/stat from the state on, None without them (proc(5))."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def read_birth_portably(pid: int) -> str | None:
    """Ask psutil, where there is no /proc."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return f"{process.create_time():.0f}"
    return None
