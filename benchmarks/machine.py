"""Describe the machine a figure was taken on, and how busy it was."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

IDLE_LOAD = 0.5  #: below this load, seconds can be trusted, not only ratios


def parse_arguments(words: str, **more: Callable[[str], object]) -> argparse.Namespace:
    """Parse a benchmark's arguments, its own given by name and type, and print the machine."""
    parser = argparse.ArgumentParser(description=words)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: a check")
    for name, kind in more.items():
        parser.add_argument(f"--{name}", type=kind)
    arguments = parser.parse_args()
    print(describe_machine())
    print(flush=True)
    return arguments


def describe_machine() -> str:
    """Return the processor, its usable cores, the date and the load."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0]
    busy = "" if load < IDLE_LOAD else ", busy"
    day = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    python = f"Python {platform.python_version()}"
    return f"{read_processor()}, {cores} cores, {python}, {day}, load {load:.1f}{busy}"


def read_processor() -> str:
    """Return the processor's name as its maker gives it."""
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
