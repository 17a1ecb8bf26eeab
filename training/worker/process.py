"""A worker's process, and whether it does anything."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import psutil

from storage.process import PROC, Process, identify_process, read_stat

#: What a worker reads and writes, counted up when it changes: one of another version is replaced.
PROTOCOL = 3


class Activity(NamedTuple):
    """What a process has done so far."""

    stopped: bool  #: by SIGSTOP or a debugger
    cpu_seconds: float  #: of all its threads
    other: int  #: reads, writes and their bytes, and pages it waited for


def describe_process(pid: int) -> Process:
    """Return how a worker can be found again."""
    return identify_process(pid) | {"protocol": PROTOCOL}


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
