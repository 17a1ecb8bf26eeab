"""How a process is known, by its number and its birth, and whether it does anything."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil

PROC = Path("/proc")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

#: A started worker as JSON, so that it outlives the scheduler: "pid", "born", "boot", "protocol".
#: Numbers are used again, and births are counted from the boot.
Process = dict[str, Any]

#: What a worker reads and writes, counted up when it changes: one of another version is replaced.
PROTOCOL = 2


class Activity(NamedTuple):
    """What a process has done so far."""

    stopped: bool  #: by SIGSTOP or a debugger
    cpu_seconds: float  #: of all its threads
    other: int  #: reads, writes and their bytes, and pages it waited for


def describe_process(pid: int) -> Process:
    """Return how a process can be found again."""
    known = {"pid": pid, "born": read_birth(pid)}
    return known | {"boot": read_boot(), "protocol": PROTOCOL}


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


def read_activity(pid: int) -> Activity | None:
    """Return what a process has done so far, None if that cannot be told."""
    with suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        with process.oneshot():
            times, other = process.cpu_times(), 0
            if hasattr(process, "io_counters"):  # macOS has none
                other = sum(process.io_counters())
            if (fields := read_stat(pid)) is not None:
                other += int(fields[9])  # majflt: pages that were read from a disk
            stopped = process.status() in {psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP}
            return Activity(stopped, times.user + times.system, other)
    return None


def count_memory_kills() -> int | None:
    """Return how often the system has killed a process for lack of memory, None if unknown."""
    with suppress(OSError, ValueError, StopIteration):
        lines = (PROC / "vmstat").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("oom_kill ")))
    return None
